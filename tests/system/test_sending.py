"""Columns the CRM owns go to e-conomic; everything else of the customer stays as it is."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from tests.support.world import World
from worker.cli.app import app as commands
from worker.domain.profile import WriteRule


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Filled; the profile leaves the e-mail to the CRM from now on."""
    with World(tmp_path_factory.mktemp("sending"), patient=False) as world:
        world.set_up()
        world.run()
        with world.app() as app:
            (customers,) = world.profiles(app, ["Customers"])
            rules = tuple(
                replace(rule, write=WriteRule.ON_CREATE_ONLY) if rule.target == "EMail" else rule
                for rule in customers.rules
            )
            app.profiles.save(replace(customers, rules=rules))
        world.snapshot()
        yield world


@pytest.fixture
def world(made: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    made.restore_all()
    made.commands_here(monkeypatch, tmp_path, CREATE_SEND="EMail")
    yield made
    made.economic_app.state.switches.reset()


def send(*words: str, ends: int | None = 0) -> Any:
    result = CliRunner().invoke(commands, ["send-fields", *words])
    assert ends is None or result.exit_code == ends, result.output
    return json.loads(result.stdout) if "--json" in words else result.output


def customer(world: World, number: int) -> Any:
    return world.economic_call("GET", f"/customers/{number}")


def with_email(world: World) -> int:
    """A customer whose e-mail is the same on both sides."""
    rows = {row["CustomerID"]: row["EMail"] for row in world.rows("Companies") if row["CustomerID"]}
    return next(
        one["customerNumber"]
        for one in world.data.customers
        if one.get("email") and rows.get(str(one["customerNumber"])) == one["email"]
    )


def type_email(world: World, number: int, text: str) -> None:
    row = next(row for row in world.rows("Companies") if row["CustomerID"] == str(number))
    world.merge("Companies", row["Id"], {"EMail": text})


def stripped(document: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in document.items() if name not in ("email", "lastUpdated", "metaData")}


def test_a_typed_address_is_sent_and_nothing_else_changes(world):
    """A barred customer stays barred, and a second look has nothing to do."""
    number = with_email(world)
    world.economic_change(number, barred=True, creditLimit=1234.5)
    send(ends=None)
    before = customer(world, number)
    type_email(world, number, "new@crm.example")
    shown = send("--json", ends=None)
    assert [one["customer"] for one in shown["sent"]] == [number]
    assert customer(world, number)["email"] == before["email"], "only shown"
    send("--apply", ends=None)
    after = customer(world, number)
    assert after["email"] == "new@crm.example"
    assert stripped(after) == stripped(before)
    assert after["barred"] is True
    assert send("--apply", "--json", ends=None)["sent"] == []
    world.run(["Customers"])
    row = next(row for row in world.rows("Companies") if row["CustomerID"] == str(number))
    assert row["EMail"] == "new@crm.example"


@pytest.mark.parametrize("crm_too", [False, True], ids=["economic", "both"])
def test_what_e_conomic_changed_itself_is_a_conflict(world, crm_too):
    number = with_email(world)
    send(ends=None)
    world.economic_change(number, email="changed@economic.example")
    if crm_too:
        type_email(world, number, "new@crm.example")
    found = send("--apply", "--json", ends=1)
    assert [(one["customer"], one["why"]) for one in found["conflicts"] if one["customer"] == number] == [
        (number, "both" if crm_too else "economic")
    ]
    assert customer(world, number)["email"] == "changed@economic.example"


def test_a_difference_at_the_first_look_settles_nothing(world):
    number = with_email(world)
    before = customer(world, number)["email"]
    type_email(world, number, "new@crm.example")
    found = send("--apply", "--json", ends=1)
    assert (number, "first") in [(one["customer"], one["why"]) for one in found["conflicts"]]
    assert customer(world, number)["email"] == before


def test_without_a_named_column_nothing_is_sent(world, monkeypatch):
    monkeypatch.delenv("CREATE_SEND")
    assert "names no column" in send(ends=2)


def test_a_profile_that_writes_the_same_column_is_in_the_way(world, monkeypatch):
    monkeypatch.setenv("CREATE_SEND", "EMail, Phone")
    assert "column Phone" in " ".join(send(ends=2).split())


def test_a_column_that_cannot_be_sent_is_told(world, monkeypatch):
    monkeypatch.setenv("CREATE_SEND", "Title")
    assert "Title can't be sent" in " ".join(send(ends=2).split())


def test_an_agreement_that_takes_no_writes_is_a_conflict_not_a_crash(world):
    number = with_email(world)
    send(ends=None)
    type_email(world, number, "new@crm.example")
    world.economic_app.state.switches.set("writes_allowed", "no")
    found = send("--apply", "--json", ends=1)
    assert (number, "refused") in [(one["customer"], one["why"]) for one in found["conflicts"]]
