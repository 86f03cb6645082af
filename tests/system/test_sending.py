"""Columns the CRM owns go to e-conomic; everything else of the customer stays as it is."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from tests.support.commands import command
from tests.support.sendings import crm_owns_email, email, only_customers, some_customers, type_email
from tests.support.world import World
from worker.cli.app import app as commands


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Filled; the profile leaves the e-mail to the CRM from now on."""
    with World(tmp_path_factory.mktemp("sending"), patient=False) as world:
        crm_owns_email(world)
        world.snapshot()
        yield world


@pytest.fixture
def world(made: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    made.restore_all()
    made.commands_here(monkeypatch, tmp_path, CREATE_SEND="EMail")
    yield made
    made.economic_app.state.switches.reset()


def send(*words: str, ends: int | None = 0) -> Any:
    return command("send-fields", *words, ends=ends)


def customer(world: World, number: int) -> Any:
    return world.economic_call("GET", f"/customers/{number}")


def stripped(document: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in document.items() if name not in ("email", "lastUpdated", "metaData")}


def test_a_typed_address_is_sent_and_nothing_else_changes(world):
    """A barred customer stays barred, and a second look has nothing to do."""
    number = some_customers(world, 1)[0]
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
    number = some_customers(world, 1)[0]
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
    number = some_customers(world, 1)[0]
    before = customer(world, number)["email"]
    type_email(world, number, "new@crm.example")
    found = send("--apply", "--json", ends=1)
    assert (number, "first") in [(one["customer"], one["why"]) for one in found["conflicts"]]
    assert customer(world, number)["email"] == before


def test_a_run_by_the_timer_is_followed_by_the_way_back(world):
    """As a night of `serve` is, where cron calls the command. What a person must settle is named once."""
    one, two = some_customers(world, 2)
    only_customers(world)
    send(ends=None)
    type_email(world, one, "new@crm.example")
    type_email(world, two, "nobody")
    run = lambda *words: CliRunner().invoke(commands, ["run", "--all", *words])  # noqa: E731
    by_hand = run()
    assert (by_hand.exit_code, "sent to e-conomic" in by_hand.output) == (0, False)
    assert email(world, one) != "new@crm.example"
    night = run("--trigger", "timer", "--json")
    assert night.exit_code == 1
    assert json.loads(night.stdout)
    assert email(world, one) == "new@crm.example"
    told = " ".join(night.stderr.split())
    assert "1 customer sent to e-conomic, 1 new conflict." in told
    assert f"customer {two} EMail" in told
    next_night = run("--trigger", "timer")
    assert (next_night.exit_code, f"customer {two} EMail" in next_night.output) == (0, False)


def test_a_timer_without_a_named_column_sends_nothing(world, monkeypatch):
    monkeypatch.delenv("CREATE_SEND")
    only_customers(world)
    result = CliRunner().invoke(commands, ["run", "--all", "--trigger", "timer"])
    assert (result.exit_code, "sent to e-conomic" in result.output) == (0, False)


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
    number = some_customers(world, 1)[0]
    send(ends=None)
    type_email(world, number, "new@crm.example")
    world.economic_app.state.switches.set("writes_allowed", "no")
    found = send("--apply", "--json", ends=1)
    assert (number, "refused") in [(one["customer"], one["why"]) for one in found["conflicts"]]
