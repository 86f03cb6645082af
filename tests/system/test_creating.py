"""Customers created in e-conomic from the CRM, over both emulators: once, with everything said in the item."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
from typer.testing import CliRunner

from tests.support.world import World
from tests.support.zygote import Zygote, killed_at
from tests.unit.web.conftest import Console, make_console
from worker.cli.app import app
from worker.errors import RefusedError
from worker.settings import CreateSettings
from worker.sync.claims import State
from worker.sync.creating import Made

NAME = "Nordlys Elektronik ApS"
COMPANY = {
    "Title": NAME,
    "CINumber": "DK 87 65 43 21",
    "Address": "Havnegade 1",
    "Zip": "8000",
    "City": "Aarhus C",
    "Country": "Danmark",
    "EMail": "post@nordlys-elektronik.example",
    "CreateInEconomic": "Requested",
}
RULES = CreateSettings(allow=True, group="1", payment_terms="1", vat_zone="1", currency="DKK")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with World(tmp_path_factory.mktemp("creating"), patient=False) as made:
        made.set_up()
        made.snapshot()
        yield made


@pytest.fixture
def world(made: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """As it was after setting up, with an empty store."""
    made.restore_all()
    made.commands_here(monkeypatch, tmp_path, **environment())
    yield made
    made.economic_app.state.switches.reset()
    made.economic_app.state.faults.clear()


@pytest.fixture
def new_world(tmp_path: Path) -> Iterator[World]:
    """One that takes snapshots of its own."""
    with World(tmp_path, patient=False) as made:
        made.set_up()
        yield made


def environment() -> dict[str, str]:
    return {
        "CREATE_ALLOW": "true",
        "CREATE_GROUP": "1",
        "CREATE_PAYMENT_TERMS": "1",
        "CREATE_VAT_ZONE": "1",
        "CREATE_CURRENCY": "DKK",
    }


def customers(world: World, name: str = NAME) -> list[dict[str, Any]]:
    """e-conomic's customers of this name."""
    answer = world.economic_call("GET", f"/customers?pagesize=1000&filter=name$eq:{name}")
    found: list[dict[str, Any]] = answer["collection"]
    return found


def company(world: World, item: int) -> dict[str, Any]:
    return next(row for row in world.rows("Companies") if row["Id"] == item)


def people(world: World, name: str = "Ane Holm") -> list[dict[str, Any]]:
    """The CRM's contacts of this name."""
    return [row for row in world.rows("Contacts") if row["Title"] == name]


def contact_names(world: World, number: int | None) -> list[str]:
    """Of a customer in e-conomic."""
    return [one["name"] for one in world.economic_call("GET", f"/customers/{number}/contacts")["collection"]]


def forget_keys(world: World) -> None:
    """e-conomic forgets every Idempotency-Key."""
    with world.economic_store.transaction() as db:
        db.execute("DELETE FROM idempotency")


def poll(world: World, rules: CreateSettings = RULES) -> list[Made]:
    with world.app(world.settings(rules)) as opened:
        return opened.creator().poll()


def refused(world: World, rules: CreateSettings = RULES, **changes: Any) -> str:
    """Asks for a company with these differences; nothing may be made, and the item says why."""
    values = {name: value for name, value in {**COMPANY, **changes}.items() if value is not None}
    item = world.post("Companies", values)
    before = world.economic_call("GET", "/customers?pagesize=1")["pagination"]["results"]
    poll(world, rules)
    row = company(world, item)
    assert world.economic_call("GET", "/customers?pagesize=1")["pagination"]["results"] == before
    assert row["CreateInEconomic"] == State.FAILED
    assert not row["CustomerID"]
    assert not row["CreateClaim"]
    return str(row["CreateStatus"])


def test_a_requested_company_becomes_a_customer_and_gets_its_number(world):
    item = world.post("Companies", {**COMPANY, "Phone": "kept"})
    (made,) = poll(world)
    (customer,) = customers(world)
    row = company(world, item)
    assert made.number == customer["customerNumber"]
    assert (row["CustomerID"], row["CreateInEconomic"]) == (str(made.number), "Created")
    assert f"customer {made.number}" in row["CreateStatus"]
    assert (row["Phone"], row["CreateClaim"]) == ("kept", None)
    assert customer["corporateIdentificationNumber"] == "87654321"
    assert (customer["customerGroup"]["customerGroupNumber"], customer["currency"]) == (1, "DKK")
    assert poll(world) == [], "it is done once"


def test_nothing_to_do_costs_one_request(world):
    with world.app(world.settings(RULES)) as opened:
        creator = opened.creator()
        before = opened.site.usage().requests
        assert creator.poll() == []
        assert opened.site.usage().requests == before + 1
        assert opened.source.usage().requests == 0


def test_the_next_run_finds_the_company_and_makes_no_double(world):
    item = world.post("Companies", COMPANY)
    (made,) = poll(world)
    world.run()
    assert [row["Id"] for row in world.rows("Companies") if row["CustomerID"] == str(made.number)] == [item]


def test_switched_off_is_said_in_the_item(world):
    assert "switched off" in refused(world, CreateSettings(allow=False))


def test_every_missing_thing_is_said_at_once(world):
    nothing = CreateSettings(allow=True, group=None, payment_terms=None, vat_zone=None, currency=None)
    text = refused(world, nothing, EAN="579000000000", CINumber=None, Title="x" * 255, Zip="1" * 31)
    for part in ("Customer group", "Payment terms", "VAT zone", "Currency", "EAN", "13 digits", "CI Number", "Zip"):
        assert part in text


def test_danish_texts_where_the_worker_speaks_danish(world):
    item = world.post("Companies", {**COMPANY, "CINumber": ""})
    with world.app(world.settings(RULES, language="da")) as opened:
        opened.creator().poll()
    assert "CVR-nummer er tomt" in company(world, item)["CreateStatus"]


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


def test_overrides_by_number_by_name_and_as_the_crm_shows_them(world):
    groups = world.economic_call("GET", "/customer-groups")["collection"]
    other = groups[-1]
    shown = f"{other['customerGroupNumber']} {other['name']}"
    world.post("Companies", {**COMPANY, "CustomerGroup": shown, "CurrencyCode": "eur"})
    poll(world)
    (customer,) = customers(world)
    assert customer["customerGroup"]["customerGroupNumber"] == other["customerGroupNumber"]
    assert customer["currency"] == "EUR"


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ({"corporateIdentificationNumber": "DK87654321", "name": "Other"}, "CVR number"),
        ({"corporateIdentificationNumber": "87.65.43.21", "name": "Other"}, "CVR number"),
        ({"corporateIdentificationNumber": "DK-87654321", "name": "Other"}, "CVR number"),
        ({"email": "POST@nordlys-elektronik.example", "name": "Other"}, "e-mail"),
        ({"email": "bog@x.example post@nordlys-elektronik.example", "name": "Other"}, "e-mail"),
        ({"name": NAME.upper()}, "name"),
    ],
)
def test_a_customer_like_it_is_offered_as_a_link_and_not_made_again(world, values, why):
    body = {"currency": "DKK", "customerGroup": {"customerGroupNumber": 1}, "vatZone": {"vatZoneNumber": 1}}
    there = world.economic_call("POST", "/customers", {**body, "paymentTerms": {"paymentTermsNumber": 1}, **values})
    text = refused(world)
    assert f"customer {there['customerNumber']}" in text
    assert f"same {why}" in text


def test_although_one_is_like_it_a_person_may_insist(world):
    poll_item = world.post("Companies", COMPANY)
    poll(world)
    twin = world.post("Companies", {**COMPANY, "CreateInEconomic": None})
    output = CliRunner().invoke(app, ["create-customer", str(twin)])
    assert output.exit_code == 1
    assert "same CVR number" in " ".join(output.output.split())
    result = CliRunner().invoke(app, ["create-customer", str(twin), "--anyway", "--json"])
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["number"] == int(company(world, twin)["CustomerID"])
    assert company(world, poll_item)["CustomerID"] != company(world, twin)["CustomerID"]


def test_a_customer_like_it_that_another_company_has_is_named_with_that_company(world):
    """Writing its number here too would make two companies of one number."""
    first = world.post("Companies", COMPANY)
    (made,) = poll(world)
    text = refused(world, Title="Nordlys af 2026 ApS")
    assert f"customer {made.number}" in text
    assert f"the company {NAME} (item {first}) has that number" in text
    assert "To link it" not in text


def test_a_company_that_has_its_number_stays_created_when_it_is_asked_for_again(world):
    item = world.post("Companies", COMPANY)
    (made,) = poll(world)
    world.merge("Companies", item, {"CreateInEconomic": "Requested"})
    (again,) = poll(world)
    row = company(world, item)
    assert (again.state, again.number) == (State.CREATED, made.number)
    assert (row["CreateInEconomic"], row["CustomerID"]) == ("Created", str(made.number))
    assert f"is customer {made.number} in e-conomic already" in row["CreateStatus"]
    assert len(customers(world)) == 1
    result = CliRunner().invoke(app, ["create-customer", str(item)])
    assert result.exit_code == 0, result.output
    world.merge("Companies", item, {"CreateInEconomic": "Requested"})
    poll(world, CreateSettings(allow=False))
    assert company(world, item)["CreateInEconomic"] == "Created", "switched off too"


def test_a_number_that_e_conomic_does_not_have_is_told(world):
    item = world.post("Companies", {**COMPANY, "CustomerID": "888888"})
    poll(world)
    row = company(world, item)
    assert row["CreateInEconomic"] == "Failed"
    assert "e-conomic has no such customer" in row["CreateStatus"]
    assert row["CustomerID"] == "888888"


def test_an_item_that_is_not_there_is_told(world):
    result = CliRunner().invoke(app, ["create-customer", "999999"])
    assert result.exit_code == 2
    assert "item 999999: is no company" in " ".join(result.output.split())


def test_a_plan_or_role_that_cannot_write_is_told_on_the_item(world):
    world.economic_app.state.switches.set("writes_allowed", "no")
    assert "does not let the app create customers" in refused(world)


def test_numbers_come_from_the_range(world):
    rules = RULES.model_copy(update={"number_first": 700_000, "number_last": 700_001})
    for at in range(2):
        world.post("Companies", {**COMPANY, "Title": f"Range {at}", "CINumber": f"1000000{at}", "EMail": None})
        poll(world, rules)
    assert [customers(world, f"Range {at}")[0]["customerNumber"] for at in range(2)] == [700_000, 700_001]
    assert "No number is left in the range 700000-700001" in refused(world, rules)


def others(world: World, *numbers: int) -> None:
    """Customers that people made in e-conomic."""
    references = {"customerGroup": {"customerGroupNumber": 1}, "vatZone": {"vatZoneNumber": 1}}
    for number in numbers:
        body = {"name": f"Other {number}", "customerNumber": number, "currency": "DKK", **references}
        world.economic_call("POST", "/customers", {**body, "paymentTerms": {"paymentTermsNumber": 1}})


def test_a_range_is_full_when_every_number_is_taken_and_not_before(world):
    """The last number is taken, lower ones are free; one of them is carried by a company whose customer is gone."""
    rules = RULES.model_copy(update={"number_first": 700_000, "number_last": 700_004})
    others(world, 700_000, 700_004)
    world.post("Companies", {"Title": "Gone", "CustomerID": "700001"})
    for at, number in enumerate([700_002, 700_003]):
        world.post("Companies", {**COMPANY, "Title": f"Gap {at}", "CINumber": f"1000000{at}", "EMail": None})
        (made,) = poll(world, rules)
        assert made.number == number
    assert "No number is left in the range 700000-700004" in refused(world, rules)


def test_a_number_that_another_company_carries_is_refused(world):
    """Its customer is gone from e-conomic; the number could not be written into a second company."""
    world.post("Companies", {"Title": "Gone", "CustomerID": "4242"})
    item = world.post("Companies", COMPANY)
    with world.app(world.settings(RULES)) as opened:
        made = opened.creator().create(item, number=4242)
    assert "Another company of the CRM carries the number 4242" in made.status
    assert not customers(world)


def test_a_number_that_a_person_asked_for_is_kept_when_another_worker_goes_on_after_the_hour(world):
    item = world.post("Companies", {**COMPANY, "CreateInEconomic": None})
    with world.app(world.settings(RULES)) as opened:
        creator = opened.creator()

        def dying(customer: Any, key: str) -> int:
            raise KeyboardInterrupt

        opened.desk.create = dying  # type: ignore[method-assign]
        with pytest.raises(KeyboardInterrupt):
            creator.create(item, number=4242)
    world.clock.moment += timedelta(minutes=70)
    (made,) = poll(world)
    assert made.number == 4242
    assert company(world, item)["CustomerID"] == "4242"


def test_after_the_hour_what_the_item_says_now_is_sent(world):
    """Nothing was made: what a person corrected meanwhile counts."""
    item = world.post("Companies", COMPANY)
    with world.app(world.settings(RULES)) as opened:
        creator = opened.creator()

        def dying(customer: Any, key: str) -> int:
            raise KeyboardInterrupt

        opened.desk.create = dying  # type: ignore[method-assign]
        with pytest.raises(KeyboardInterrupt):
            creator.poll()
    world.merge("Companies", item, {"City": "Ribe"})
    world.clock.moment += timedelta(minutes=70)
    poll(world)
    assert [one["city"] for one in customers(world)] == ["Ribe"]


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_company_that_is_deleted_in_the_middle_is_told_and_can_come_back(world, moment):
    """Deleted before or after the customer was made; out of the bin it is finished as any other."""
    item = world.post("Companies", COMPANY)
    with world.app(world.settings(RULES)) as opened:
        creator = opened.creator()
        name = "like" if moment == "before" else "create"
        real = getattr(opened.desk, name)

        def deleted_first(*arguments: Any) -> Any:
            world.recycle("Companies", item)
            return real(*arguments)

        setattr(opened.desk, name, deleted_first)
        (made,) = creator.poll()
    assert made.state == State.FAILED
    assert "was deleted from the CRM meanwhile" in made.status
    assert len(customers(world)) == (0 if moment == "before" else 1)
    put_back(world)
    world.clock.moment += timedelta(minutes=5)
    poll(world)
    (customer,) = customers(world)
    assert company(world, item)["CustomerID"] == str(customer["customerNumber"])


def put_back(world: World) -> None:
    """Somebody empties the recycle bin back into the list."""
    url = f"{world.site_url}/_api/web/recyclebin"
    headers = world._headers()
    for row in requests.get(url, headers=headers, timeout=30).json()["value"]:
        requests.post(f"{url}('{row['Id']}')/restore()", headers=headers, timeout=30).raise_for_status()


def test_the_day_is_the_connections_own(world):
    """Half past midnight in Copenhagen is yesterday in UTC."""
    world.clock.moment = datetime(2026, 11, 25, 23, 30, tzinfo=UTC)
    item = world.post("Companies", COMPANY)
    poll(world)
    assert company(world, item)["CreateStatus"].endswith("on 2026-11-26.")


@pytest.mark.parametrize("status", ["400", "409"])
def test_a_number_that_somebody_takes_meanwhile_is_passed_over(world, status):
    """The number is chosen, then taken by a person in e-conomic, then asked for."""
    world.economic_app.state.switches.set("duplicate_number_status", status)
    rules = RULES.model_copy(update={"number_first": 700_000, "number_last": 700_009})
    item = world.post("Companies", COMPANY)
    with world.app(world.settings(rules)) as opened:
        creator = opened.creator()
        real = opened.desk.create

        def taken_first(customer: Any, key: str) -> int:
            if customer.number == 700_000:
                others(world, 700_000)
            return real(customer, key)

        opened.desk.create = taken_first  # type: ignore[method-assign]
        (made,) = creator.poll()
    assert made.number == 700_001
    assert company(world, item)["CustomerID"] == "700001"


def test_a_wanted_number_outside_the_range_is_refused(world, monkeypatch):
    monkeypatch.setenv("CREATE_NUMBER_FIRST", "1000")
    monkeypatch.setenv("CREATE_NUMBER_LAST", "1999")
    item = world.post("Companies", COMPANY)
    result = CliRunner().invoke(app, ["create-customer", str(item), "--number", "5000"])
    assert result.exit_code == 1
    assert "5000 is outside the range 1000-1999" in " ".join(result.output.split())


def test_the_companys_contact_is_made_too(world):
    item = world.post("Companies", COMPANY)
    world.post("Contacts", {"Title": "Ane Holm", "EMail": "ane@nordlys-elektronik.example", "CompanyId": item})
    (made,) = poll(world, RULES.model_copy(update={"contact": True}))
    (contact,) = world.economic_call("GET", f"/customers/{made.number}/contacts")["collection"]
    assert (contact["name"], contact["email"]) == ("Ane Holm", "ane@nordlys-elektronik.example")
    assert "Ane Holm was created too" in company(world, item)["CreateStatus"]
    (row,) = people(world)
    assert row["ImportID"] == f"{made.number}-{contact['customerContactNumber']}"
    assert row["CompanyCustomerID"] == str(made.number)
    world.run()
    assert [one["Id"] for one in people(world)] == [row["Id"]], "the next run knows the person"


def test_a_contact_that_is_another_customers_is_passed_over(world):
    """It has its key; the next one without is the company's own."""
    item = world.post("Companies", COMPANY)
    world.post("Contacts", {"Title": "Bo Friis", "ImportID": "1-1", "CompanyId": item})
    world.post("Contacts", {"FirstName": "Ane", "LastName": "Holm", "Title": "Ane Holm", "CompanyId": item})
    (made,) = poll(world, RULES.model_copy(update={"contact": True}))
    assert contact_names(world, made.number) == ["Ane Holm"]
    assert [one["ImportID"] for one in people(world, "Bo Friis")] == ["1-1"]


def test_a_contact_whose_key_the_crm_refuses_is_told_with_the_key(world):
    """Somebody typed the key into another contact; keys are unique."""
    item = world.post("Companies", COMPANY)
    world.post("Contacts", {"Title": "Ane Holm", "CompanyId": item})
    with world.app(world.settings(RULES.model_copy(update={"contact": True}))) as opened:
        creator, real = opened.creator(), opened.desk.add_contact

        def taken_first(number: int, body: Any, key: str) -> int:
            contact = real(number, body, key)
            world.post("Contacts", {"Title": "Somebody", "ImportID": f"{number}-{contact}"})
            return contact

        opened.desk.add_contact = taken_first  # type: ignore[method-assign]
        (made,) = creator.poll()
    row = company(world, item)
    assert (row["CreateInEconomic"], row["CustomerID"]) == ("Created", str(made.number))
    assert f"could not be given the Import ID {made.number}-" in row["CreateStatus"]


def test_a_contact_edited_while_it_is_made_keeps_the_edit_and_gets_its_key(world):
    item = world.post("Companies", COMPANY)
    contact = world.post("Contacts", {"Title": "Ane Holm", "CompanyId": item})
    with world.app(world.settings(RULES.model_copy(update={"contact": True}))) as opened:
        creator, real = opened.creator(), opened.desk.add_contact

        def edited_first(number: int, body: Any, key: str) -> int:
            world.merge("Contacts", contact, {"Title": "Ane Holm-Friis"})
            return real(number, body, key)

        opened.desk.add_contact = edited_first  # type: ignore[method-assign]
        (made,) = creator.poll()
    (row,) = people(world, "Ane Holm-Friis")
    assert row["ImportID"].startswith(f"{made.number}-")


@pytest.mark.parametrize("fault", ["cut", "truncated-json", "500", "503", "429", "html"])
def test_an_answer_that_is_lost_is_asked_for_again_with_the_same_key(world, fault):
    item = world.post("Companies", COMPANY)
    with world.app(world.settings(RULES)) as opened:
        creator = opened.creator()
        real = opened.desk.create

        def disturbed(customer: Any, key: str) -> int:
            world.economic_app.state.faults.once(fault, 1)
            return real(customer, key)

        opened.desk.create = disturbed  # type: ignore[method-assign]
        creator.poll()
    (customer,) = customers(world)
    assert company(world, item)["CustomerID"] == str(customer["customerNumber"])


def test_an_edit_made_while_it_is_created_is_kept(world):
    """Somebody saves the company between the claim and the number."""
    item = world.post("Companies", COMPANY)
    with world.app(world.settings(RULES)) as opened:
        creator = opened.creator()
        real = opened.desk.create

        def edited_first(customer: Any, key: str) -> int:
            world.merge("Companies", item, {"Phone": "typed meanwhile"})
            return real(customer, key)

        opened.desk.create = edited_first  # type: ignore[method-assign]
        (made,) = creator.poll()
    row = company(world, item)
    assert (row["Phone"], row["CustomerID"], row["CreateInEconomic"]) == (
        "typed meanwhile",
        str(made.number),
        "Created",
    )


@pytest.mark.parametrize("made_already", [True, False])
def test_switched_off_in_the_middle_what_was_made_is_written_down(world, made_already):
    """And nothing more is made."""
    item = world.post("Companies", COMPANY)
    with world.app(world.settings(RULES)) as opened:
        creator, real = opened.creator(), opened.desk.create

        def dying(customer: Any, key: str) -> int:
            if made_already:
                real(customer, key)
            raise KeyboardInterrupt

        opened.desk.create = dying  # type: ignore[method-assign]
        with pytest.raises(KeyboardInterrupt):
            creator.poll()
    world.clock.moment += timedelta(minutes=5)
    poll(world, CreateSettings(allow=False))
    row = company(world, item)
    assert len(customers(world)) == (1 if made_already else 0)
    assert row["CreateInEconomic"] == ("Created" if made_already else "Failed")
    assert bool(row["CustomerID"]) == made_already


def killed_after_sending(world: World, rules: CreateSettings = RULES) -> None:
    """A worker dies when e-conomic has made the customer, and before it heard of that."""
    with world.app(world.settings(rules)) as opened:
        creator, real = opened.creator(), opened.desk.create

        def dying(customer: Any, key: str) -> int:
            real(customer, key)
            raise KeyboardInterrupt

        opened.desk.create = dying  # type: ignore[method-assign]
        with pytest.raises(KeyboardInterrupt):
            creator.poll()


PRIVATE = {"Title": "Jens Jensen", "CreateInEconomic": "Requested"}
PRIVATELY = RULES.model_copy(update={"without_cvr": True})


@pytest.mark.parametrize("chosen", ["Requested", "Failed"])
def test_choosing_anew_while_a_claim_stands_makes_no_second_customer(world, chosen):
    """Of a private person, whom no CVR number tells; e-conomic has forgotten the key besides."""
    item = world.post("Companies", PRIVATE)
    killed_after_sending(world, PRIVATELY)
    world.merge("Companies", item, {"CreateInEconomic": chosen})
    world.clock.moment += timedelta(minutes=5)
    forget_keys(world)
    world.run(["Customers"])
    assert len([one for one in world.rows("Companies") if one["Title"] == "Jens Jensen"]) == 1
    world.merge("Companies", item, {"CreateInEconomic": "Requested"})
    poll(world, PRIVATELY)
    (customer,) = customers(world, "Jens Jensen")
    row = company(world, item)
    assert (row["CustomerID"], row["CreateInEconomic"]) == (str(customer["customerNumber"]), "Created")


def test_a_column_cleared_while_a_claim_stands_makes_no_second_company(world):
    item = world.post("Companies", PRIVATE)
    killed_after_sending(world, PRIVATELY)
    world.merge("Companies", item, {"CreateInEconomic": None})
    world.run(["Customers"])
    assert [one["Id"] for one in world.rows("Companies") if one["Title"] == "Jens Jensen"] == [item]


@pytest.mark.parametrize("sent", [True, False])
def test_whoever_clears_the_column_gets_no_customer_that_was_not_made_yet(world, sent):
    """No look finds such a company by its column; the daily one does."""
    item = world.post("Companies", PRIVATE)
    killed_after_sending(world, PRIVATELY)
    if not sent:
        world.economic_call("DELETE", f"/customers/{customers(world, 'Jens Jensen')[0]['customerNumber']}")
    world.merge("Companies", item, {"CreateInEconomic": None})
    with world.app(world.settings(PRIVATELY)) as opened:
        assert opened.creator().sweep() == [], "the worker may be at it still"
        world.clock.moment += timedelta(minutes=5)
        assert opened.creator().poll() == []
        opened.creator().sweep()
    row = company(world, item)
    numbers = [str(one["customerNumber"]) for one in customers(world, "Jens Jensen")]
    assert numbers == ([row["CustomerID"]] if sent else [])
    assert (row["CreateInEconomic"], row["CreateClaim"]) == ("Created" if sent else "Failed", None)
    assert sent or "taken back" in row["CreateStatus"]


def test_companies_that_always_fail_hold_up_nobody(world):
    """Five whose items take nothing, before the one that somebody asked for last; and more than one look tries."""
    item = stuck(world, 5)
    with pytest.raises(RefusedError):
        poll(world)
    assert company(world, item)["CreateInEconomic"] == "Created"
    item = stuck(world, 25)
    for _ in range(30):
        world.clock.moment += timedelta(minutes=1)
        with pytest.raises(RefusedError):
            poll(world)
        if company(world, item)["CreateInEconomic"] == "Created":
            break
    assert company(world, item)["CreateInEconomic"] == "Created"


def stuck(world: World, count: int) -> int:
    """So many companies that a rule of the list keeps as they are, and then one more, whose item is given."""
    list_rule(world, "")
    for at in range(count):
        world.post("Companies", {**COMPANY, "Title": f"A very long name indeed {at}", "CINumber": f"200000{at:02}"})
    number = 30_000_000 + count
    item = world.post("Companies", {**COMPANY, "Title": f"Last {count}", "CINumber": str(number), "EMail": None})
    list_rule(world, "=LEN([Title])<20")
    return item


def list_rule(world: World, formula: str) -> None:
    """Somebody gives the companies' list a rule, or with a blank one takes it away."""
    url = f"{world.site_url}/_api/web/lists/getbytitle('Companies')"
    world.change(url, {"ValidationFormula": formula, "ValidationMessage": "Not like that."})


def test_a_number_typed_while_a_claim_stands_is_kept_and_both_are_told(world):
    item = world.post("Companies", PRIVATE)
    killed_after_sending(world, PRIVATELY)
    world.merge("Companies", item, {"CustomerID": "424242"})
    world.run(["Customers"])
    assert [one["Id"] for one in world.rows("Companies") if one["Title"] == "Jens Jensen"] == [item]
    world.clock.moment += timedelta(minutes=5)
    poll(world, PRIVATELY)
    row = company(world, item)
    (customer,) = customers(world, "Jens Jensen")
    assert (row["CustomerID"], row["CreateInEconomic"]) == ("424242", "Failed")
    assert f"Customer {customer['customerNumber']} was created" in row["CreateStatus"]


@pytest.mark.parametrize("rules", [PRIVATELY, PRIVATELY.model_copy(update={"number_first": 700, "number_last": 709})])
def test_a_repeat_looks_first_because_e_conomic_may_have_forgotten_the_key(world, rules):
    item = world.post("Companies", PRIVATE)
    killed_after_sending(world, rules)
    forget_keys(world)
    world.clock.moment += timedelta(minutes=5)
    poll(world, rules)
    (customer,) = customers(world, "Jens Jensen")
    assert company(world, item)["CustomerID"] == str(customer["customerNumber"])


def test_a_lost_answer_about_a_number_of_the_range_makes_no_second_customer(world):
    """The key is forgotten between the tries: the second is refused, since the first took the number."""
    rules = PRIVATELY.model_copy(update={"number_first": 700_000, "number_last": 700_009})
    item = world.post("Companies", PRIVATE)
    with world.app(world.settings(rules)) as opened:
        creator, real = opened.creator(), opened.desk.create

        def twice(customer: Any, key: str) -> int:
            real(customer, key)
            forget_keys(world)
            return real(customer, key)

        opened.desk.create = twice  # type: ignore[method-assign]
        creator.poll()
    (customer,) = customers(world, "Jens Jensen")
    assert company(world, item)["CustomerID"] == str(customer["customerNumber"]) == "700000"


def test_one_that_a_person_insisted_on_is_not_taken_for_the_one_it_is_like(world):
    """A worker dies before it sent the second one; the first was made a moment ago and is alike in everything."""
    first = world.post("Companies", PRIVATE)
    poll(world, PRIVATELY)
    twin = world.post("Companies", {**PRIVATE, "CreateInEconomic": None})
    with world.app(world.settings(PRIVATELY)) as opened:
        creator = opened.creator()

        def dying(customer: Any, key: str) -> int:
            raise KeyboardInterrupt

        opened.desk.create = dying  # type: ignore[method-assign]
        with pytest.raises(KeyboardInterrupt):
            creator.create(twin, anyway=True)
    world.clock.moment += timedelta(minutes=70)
    poll(world, PRIVATELY)
    numbers = {one["customerNumber"] for one in customers(world, "Jens Jensen")}
    assert len(numbers) == 2
    assert {company(world, item)["CustomerID"] for item in (first, twin)} == {*map(str, numbers)}


def test_what_a_person_corrected_while_e_conomic_refused_it_is_sent_next(world):
    """Asked for anew at once: the refused claim is let go, and the request stays."""
    item = world.post("Companies", {**COMPANY, "PNumber": "1234567890"})
    with world.app(world.settings(RULES)) as opened:
        creator = opened.creator()

        def refusing(customer: Any, key: str) -> int:
            world.merge("Companies", item, {"City": "Ribe", "CreateInEconomic": "Requested"})
            raise RefusedError("e-conomic refused what was sent.")

        opened.desk.create = refusing  # type: ignore[method-assign]
        creator.poll()
    assert company(world, item)["CreateInEconomic"] == "Requested"
    poll(world)
    (customer,) = customers(world)
    assert customer["city"] == "Ribe"


def test_two_workers_make_one_customer(world):
    """Both saw the request; the claim's version lets one of them through."""
    world.post("Companies", COMPANY)
    with world.app(world.settings(RULES)) as one, world.app(world.settings(RULES)) as other:
        first, second = one.creator(), other.creator()
        real = one.desk.like

        def slow(customer: Any) -> Any:
            found = real(customer)
            second.poll()
            return found

        one.desk.like = slow  # type: ignore[method-assign]
        (made,) = first.poll()
    assert made.state == "", "the slower one leaves it alone"
    assert len(customers(world)) == 1


def test_a_run_beside_a_creation_makes_no_second_company(world):
    """e-conomic has the customer, the company has no number yet: the run leaves it to the creation."""
    item = world.post("Companies", COMPANY)
    with world.app(world.settings(RULES)) as opened:
        creator = opened.creator()
        real = opened.desk.create

        def run_after(customer: Any, key: str) -> int:
            number = real(customer, key)
            result = world.run(["Customers"])
            assert result.error is None
            return number

        opened.desk.create = run_after  # type: ignore[method-assign]
        (made,) = creator.poll()
    assert [row["Id"] for row in world.rows("Companies") if row["Title"] == NAME] == [item]
    assert company(world, item)["CustomerID"] == str(made.number)


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs SIGKILL and fork")
@pytest.mark.parametrize(
    "late",
    [pytest.param(False, id="within the hour"), pytest.param(True, id="after the hour", marks=pytest.mark.long)],
)
def test_killed_at_every_request_one_customer_and_one_company_exist(new_world, late):
    """SIGKILL before each request is handled and after it was; then any worker finishes it, and the night that follows
    makes neither the company nor the contact a second time."""
    world = new_world
    world.run()
    world.post("Contacts", {"Title": "Ane Holm", "CompanyId": (item := world.post("Companies", COMPANY))})
    environ = {**world.environment(), **environment(), "CREATE_CONTACT": "true"}
    rules = RULES.model_copy(update={"contact": True})
    world.snapshot()
    killed = 0
    with Zygote() as zygote:
        for side in ("sharepoint", "economic"):
            for when in ("before", "after"):
                for at in range(1, 60):
                    world.restore_all()  # with the lease of the one before
                    world.clock.moment = datetime.now(UTC)  # a command in a process of its own has the machine's clock
                    if not killed_at(world, zygote, (side, at, when), ["create-customer", str(item)], environ):
                        break
                    killed += 1
                    where = (side, at, when)
                    world.clock.moment += timedelta(minutes=70 if late else 4)
                    poll(world, rules)
                    row = company(world, item)
                    (customer,) = customers(world)
                    assert row["CustomerID"] == str(customer["customerNumber"]), where
                    assert row["CreateInEconomic"] == "Created", where
                    assert contact_names(world, customer["customerNumber"]) == ["Ane Holm"], where
                    result = world.run()
                    assert result.error is None, where
                    assert sum(one["Title"] == NAME for one in world.rows("Companies")) == 1, where
                    (person,) = people(world)
                    assert person["CompanyCustomerID"] == row["CustomerID"], where
    print(f"killed at {killed} requests")
    assert killed >= 30


class TestPage:
    """The same in the console."""

    @pytest.fixture
    def console(self, world: World) -> Console:
        return make_console(world)

    def test_rules_are_chosen_from_e_conomics_own_lists_and_used_at_once(self, world, console):
        browser = console.browser()
        page = browser.get("/manage/create/default").text
        assert "Allow creating customers" in page
        assert all(one["name"] in page for one in world.economic_call("GET", "/customer-groups")["collection"])
        form = {"allow": "on", "group": "1", "payment_terms": "1", "vat_zone": "1", "currency": "DKK", "version": ""}
        assert browser.post("/manage/create/default/save", data=form).status_code == 200
        item = world.post("Companies", COMPANY)
        done = browser.post("/manage/create/default", data={"item": str(item)})
        assert done.status_code == 200
        assert f"as customer {company(world, item)['CustomerID']}" in done.text

    def test_what_failed_is_listed_with_its_reason_and_escaped(self, world, console, monkeypatch):
        for name in environment():
            monkeypatch.delenv(name, raising=False)
        world.post("Companies", {**COMPANY, "Title": "<b>x</b>", "EAN": "123"})
        console.host.engine.tick()
        page = console.browser().get("/manage/create/default").text
        assert "&lt;b&gt;x&lt;/b&gt;" in page
        assert "<b>x</b>" not in page

    @pytest.mark.parametrize(
        ("form", "told"),
        [
            ({"number_first": "10"}, "a range needs both"),
            ({"number_first": "20", "number_last": "10"}, "must not be above"),
            ({"number_first": "x", "number_last": "10"}, "must be a whole number"),
            ({"currency": "KRONER"}, "must be a code of three letters"),
        ],
    )
    def test_wrong_rules_are_told_in_the_pages_words_and_not_saved(self, world, console, form, told):
        answer = console.browser().post("/manage/create/default/save", data={"version": "", **form})
        assert answer.status_code == 422
        assert told in answer.text
        assert "CREATE_" not in answer.text
        assert console.host.live.own("default")[0].create == {}

    def test_what_was_typed_is_still_there_when_it_was_refused(self, world, console):
        form = {"version": "", "currency": "KRONER", "number_first": "700", "number_last": "800", "contact": "on"}
        page = console.browser().post("/manage/create/default/save", data={**form, "send": "EAN"}).text
        for part in ('value="KRONER" selected', 'value="700"', 'value="800"', 'name="contact" checked'):
            assert part in page
        assert 'value="EAN" checked' in page
        assert 'name="allow" checked' not in page, "what the server's settings say is not what was typed"

    def test_a_rule_that_is_blanked_on_the_page_is_blank(self, world, console, monkeypatch):
        """Although the server's own settings have it."""
        browser = console.browser()
        console.host.live.installation.connections["default"].create = RULES.model_copy(update={"send": "EAN"})
        assert console.host.live.of("default").create.group == "1"
        form = {"version": "", "allow": "on", "payment_terms": "1", "vat_zone": "1", "currency": "DKK"}
        assert browser.post("/manage/create/default/save", data=form).status_code == 200
        rules = console.host.live.of("default").create
        assert (rules.group, rules.send, rules.payment_terms) == (None, "", "1")
        item = world.post("Companies", COMPANY)
        browser.post("/manage/create/default", data={"item": str(item)})
        assert "Customer group is blank" in company(world, item)["CreateStatus"]

    def test_problems_are_danish_on_a_danish_page(self, world, console):
        browser = console.browser()
        browser.get("/manage/create/default?lang=da")
        answer = browser.post("/manage/create/default/save", data={"version": "", "number_first": "10"})
        assert "er tomt; et interval kræver begge" in answer.text
        assert "Sidste kundenummer" in answer.text

    @pytest.mark.parametrize("item", ["", "x", "0x1", "999999"])
    def test_an_item_that_is_none_is_told(self, console, item):
        answer = console.browser().post("/manage/create/default", data={"item": item})
        assert answer.status_code == 422

    def test_once_a_day_the_tick_finds_what_was_cleared(self, world, console):
        console.host.engine.tick()
        item = world.post("Companies", COMPANY)
        killed_after_sending(world)
        world.merge("Companies", item, {"CreateInEconomic": None})
        console.host.engine.tick()
        assert not company(world, item)["CustomerID"]
        world.clock.moment += timedelta(days=1)
        console.host.engine.tick()
        assert company(world, item)["CustomerID"] == str(customers(world)[0]["customerNumber"])

    def test_the_tick_creates_what_was_asked_for(self, world, console):
        item = world.post("Companies", COMPANY)
        console.host.engine.tick()
        assert company(world, item)["CreateInEconomic"] == "Created"
