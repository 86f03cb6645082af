"""What keeps a company from being created is said in its item, and nothing is made."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from tests.support.creations import COMPANY, company, customers, poll, refused
from worker.cli.app import app
from worker.settings import CreateSettings


def test_switched_off_is_said_in_the_item(world):
    assert "switched off" in refused(world, CreateSettings(allow=False))


def test_every_missing_thing_is_said_at_once(world):
    nothing = CreateSettings(allow=True, group=None, payment_terms=None, vat_zone=None, currency=None)
    text = refused(world, nothing, EAN="579000000000", CINumber=None, Title="x" * 255, Zip="1" * 31)
    for part in ("Customer group", "Payment terms", "VAT zone", "Currency", "EAN", "13 digits", "CI Number", "Zip"):
        assert part in text


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"CustomerGroup": "Martians"}, "Customer group 'Martians' does not exist in e-conomic"),
        ({"VATZone": "99"}, "VAT zone '99' does not exist"),
        ({"PaymentTerms": "99"}, "Payment terms '99' does not exist"),
        ({"CurrencyCode": "XXX"}, "Currency 'XXX' does not exist"),
        ({"EAN": "579000000000"}, "EAN must have 13 digits"),
        ({"PNumber": "123"}, "P number must have 10 digits"),
        ({"CINumber": ""}, "CI Number is blank"),
        ({"CINumber": "1234"}, "no Danish CVR number"),
        ({"EMail": "nobody"}, "is no address"),
        ({"CustomerID": "1"}, "already"),
    ],
)
def test_bad_values_are_told_and_nothing_is_made(world, changes, words):
    if "CustomerID" in changes:
        item = world.post("Companies", {**COMPANY, **changes})
        poll(world)
        assert words in company(world, item)["CreateStatus"]
        assert not customers(world)
    else:
        assert words in refused(world, **changes)


def test_a_name_too_long_for_e_conomic_is_not_cut(world):
    """CompanyName is used where Title is blank; a list may hold longer texts than ours does."""
    from worker.domain.new_customer import Choices, Defaults, build

    choices = Choices({1: "G"}, {1: "T"}, {1: "Z"}, frozenset({"DKK"}))
    customer, problems = build({"Title": "x" * 256}, Defaults("1", "1", "1", "dkk", without_cvr=True), choices)
    assert customer is None
    assert [one.code for one in problems] == ["too-long"]


def test_an_item_that_is_not_there_is_told(world):
    result = CliRunner().invoke(app, ["create-customer", "999999"])
    assert result.exit_code == 2
    assert "item 999999: is no company" in " ".join(result.output.split())


def test_a_plan_or_role_that_cannot_write_is_told_on_the_item(world):
    world.economic_app.state.switches.set("writes_allowed", "no")
    assert "does not let the app create customers" in refused(world)
