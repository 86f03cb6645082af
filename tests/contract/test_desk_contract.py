"""What every CustomerDesk must do: the same tests in memory and on the adapter over the e-conomic emulator."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import date
from typing import Any

import pytest

from tests.fakes.fake_desk import FakeDesk
from worker.domain.new_customer import NewCustomer
from worker.economic.client import EconomicClient
from worker.economic.desk import EconomicDesk
from worker.economic.source import EconomicSource
from worker.economic.writer import EconomicWriter
from worker.emulators.common.server import EmulatorServer
from worker.emulators.dataset import generate
from worker.emulators.economic.app import create_app
from worker.emulators.economic.options import EconomicOptions
from worker.emulators.economic.store import EconomicStore
from worker.errors import AccessDeniedError, RefusedError
from worker.ports import CustomerDesk
from worker.transport import Http, RetryPolicy, Waits, origin


class FakeWorld:
    """In memory."""

    def __init__(self) -> None:
        self._fake = FakeDesk()
        self.desk: CustomerDesk = self._fake

    def forbid(self) -> None:
        self._fake.writes_allowed = False


class EmulatorWorld:
    """The adapter over HTTP; the agreement's own customers are taken away first."""

    def __init__(self, stack: ExitStack) -> None:
        store = EconomicStore()
        stack.callback(store.close)
        store.load(generate("tiny", 1, date(2026, 11, 25)))
        with store.transaction() as db:
            for table in ("customers", "contacts", "invoices"):
                db.execute(f"DELETE FROM {table}")
        self.app = create_app(store, options=EconomicOptions())
        server = stack.enter_context(EmulatorServer(self.app))
        tokens = {"X-AppSecretToken": "test-app-secret", "X-AgreementGrantToken": "test-token"}
        policy = RetryPolicy(attempts=2)
        http = Http("e-conomic", frozenset({origin(server.url)}), tokens, policy=policy, waits=Waits(lambda _s: None))
        stack.callback(http.close)
        client = EconomicClient(server.url, server.url, http, contacts_version="v3.1.0")
        self.desk: CustomerDesk = EconomicDesk(EconomicSource(client), EconomicWriter(server.url, http, client.rate))

    def forbid(self) -> None:
        self.app.state.switches.set("writes_allowed", "no")


@pytest.fixture(params=["fake", "emulator"])
def world(request: pytest.FixtureRequest) -> Iterator[FakeWorld | EmulatorWorld]:
    with ExitStack() as stack:
        yield FakeWorld() if request.param == "fake" else EmulatorWorld(stack)


def wanted(name: str = "Nordlys ApS", **more: Any) -> NewCustomer:
    references = {"customerGroup": {"customerGroupNumber": 1}, "paymentTerms": {"paymentTermsNumber": 1}}
    body = {"name": name, "currency": "DKK", **references, "vatZone": {"vatZoneNumber": 1}}
    return NewCustomer({**body, **more})


def test_there_are_lists_to_choose_from(world):
    choices = world.desk.choices()
    assert 1 in choices.groups
    assert 1 in choices.terms
    assert 1 in choices.zones
    assert "DKK" in choices.currencies


def test_what_is_made_is_there_and_numbered(world):
    number = world.desk.create(wanted(corporateIdentificationNumber="12345678"), "key-000001")
    made = world.desk.customer(number)
    assert made is not None
    assert (made.name, made.cvr, made.currency) == ("Nordlys ApS", "12345678", "DKK")
    assert [one.number for one in world.desk.customers()] == [number]
    assert world.desk.customer(number + 1) is None


def test_the_same_key_makes_it_once(world):
    first = world.desk.create(wanted(), "key-000001")
    assert world.desk.create(wanted(), "key-000001") == first
    assert world.desk.create(wanted(), "key-000002") != first


def test_a_wanted_number_is_kept_and_a_taken_one_refused(world):
    assert world.desk.create(wanted(customerNumber=5000), "key-000001") == 5000
    with pytest.raises(RefusedError, match="in use"):
        world.desk.create(wanted("Other", customerNumber=5000), "key-000002")


def test_free_numbers_are_those_above_the_highest_and_then_the_gaps(world):
    """As far as the range goes, however many there are."""
    for at, number in enumerate([11, 13, 14, 20]):
        world.desk.create(wanted(f"No. {number}", customerNumber=number), f"key-00000{at}")
    assert list(world.desk.free_numbers(10, 16)) == [15, 16, 10, 12]
    assert list(world.desk.free_numbers(13, 14)) == []
    assert list(world.desk.free_numbers(1, 3)) == [1, 2, 3]
    assert next(world.desk.free_numbers(1, 999_999_999)) == 21


def test_a_customer_alike_is_found_by_the_strongest_sign_first(world):
    by_name = world.desk.create(wanted("Nordlys ApS"), "key-000001")
    by_mail = world.desk.create(wanted("Other", email="post@nordlys.example"), "key-000002")
    by_cvr = world.desk.create(wanted("Third", corporateIdentificationNumber="12345678"), "key-000003")
    world.desk.create(wanted("Stranger", corporateIdentificationNumber="87654321"), "key-000004")
    sought = wanted("NORDLYS APS", corporateIdentificationNumber="12345678", email="Post@Nordlys.example")
    found = [(one.number, why) for one, why in world.desk.like(sought)]
    assert found == [(by_cvr, "cvr"), (by_mail, "email"), (by_name, "name")]


@pytest.mark.parametrize(
    ("kept", "sought"),
    [
        ("12 34 56 78", "12345678"),
        ("1234 5678", "12345678"),
        ("12.34.56.78", "12345678"),
        ("DK-12345678", "12345678"),
        ("dk 12-34-56-78", "12345678"),
        ("CVR-nr. 12 34 56 78", "12345678"),
        ("556677-8899", "SE5566778899"),
        ("SE 556677-8899", "556677-8899"),
        ("de 123.456.789", "DE123456789"),
        ("ESB12345678", "ES-B12345678"),
    ],
)
def test_a_company_is_found_however_its_number_is_written(world, kept, sought):
    number = world.desk.create(wanted("Other", corporateIdentificationNumber=kept), "key-000001")
    found = world.desk.like(wanted(corporateIdentificationNumber=sought))
    assert [(one.number, why) for one, why in found] == [(number, "cvr")]


@pytest.mark.parametrize(
    ("kept", "sought"),
    [
        ("112345678", "12345678"),
        ("123456789", "12345678"),
        ("NO5566778899", "SE5566778899"),
        ("ESA12345678", "ESB12345678"),
        ("n/a", "n/a"),
    ],
)
def test_another_companys_number_is_not_taken_for_it(world, kept, sought):
    """A number that holds it, of another country, or what is no number at all."""
    world.desk.create(wanted("Other", corporateIdentificationNumber=kept), "key-000001")
    assert list(world.desk.like(wanted(corporateIdentificationNumber=sought))) == []


@pytest.mark.parametrize(
    ("kept", "sought", "alike"),
    [
        ("bog@nordlys.example; Post@Nordlys.example", "post@nordlys.example", True),
        ("post@nordlys.example bog@nordlys.example", "bog@nordlys.example, x@y.example", True),
        ("Nordlys <post@nordlys.example>", "post@nordlys.example", True),
        ("compost@nordlys.example", "post@nordlys.example", False),
        ("post@nordlys.example.com", "post@nordlys.example", False),
        ("po_t@nordlys.example", "post@nordlys.example", False),
    ],
)
def test_an_address_is_found_among_several(world, kept, sought, alike):
    """On either side; one that only holds it is another."""
    number = world.desk.create(wanted("Other", email=kept), "key-000001")
    found = [(one.number, why) for one, why in world.desk.like(wanted(email=sought))]
    assert found == ([(number, "email")] if alike else [])


@pytest.mark.parametrize(
    ("kept", "alike"),
    [("Nordlys  Elektronik ApS", True), ("NORDLYS Elektronik  ApS", True), ("Nordlys Vest Elektronik ApS", False)],
)
def test_a_name_is_the_same_whatever_blanks_it_has(world, kept, alike):
    number = world.desk.create(wanted(kept), "key-000001")
    found = [(one.number, why) for one, why in world.desk.like(wanted("Nordlys Elektronik ApS"))]
    assert found == ([(number, "name")] if alike else [])


@pytest.mark.parametrize("name", ["50% (a,b) $x* [y]", "O'Brien & Søn", "x" * 255])
def test_signs_of_the_filter_grammar_mean_themselves(world, name):
    number = world.desk.create(wanted(name), "key-000001")
    world.desk.create(wanted("50% ab"), "key-000002")
    assert [(one.number, why) for one, why in world.desk.like(wanted(name))] == [(number, "name")]


def test_what_breaks_a_rule_is_refused_with_the_property_named(world):
    with pytest.raises(RefusedError, match="name"):
        world.desk.create(wanted("x" * 256), "key-000001")
    assert list(world.desk.customers()) == []


def test_replacing_keeps_what_is_given_and_clears_the_rest(world):
    number = world.desk.create(wanted(email="a@b.example", city="Ribe"), "key-000001")
    document = dict(world.desk.document(number))
    document.pop("city")
    world.desk.replace(number, {**document, "email": "new@b.example", "barred": True}, "key-000002")
    made = world.desk.customer(number)
    assert (made.email, made.city, made.barred, made.name) == ("new@b.example", None, True, "Nordlys ApS")
    assert world.desk.document(number + 1) is None


def test_contacts_are_made_once_for_a_key(world):
    number = world.desk.create(wanted(), "key-000001")
    body = {"name": "Ane", "email": "ane@nordlys.example"}
    first, again = (world.desk.add_contact(number, body, "key-000001-c") for _ in range(2))
    (made,) = world.desk.contacts(number)
    assert (made.number, made.customer_number, made.name, made.email) == (first, number, "Ane", "ane@nordlys.example")
    assert again == first
    assert list(world.desk.contacts(number + 1)) == []


def test_without_the_right_to_write_nothing_is_made(world):
    world.forbid()
    with pytest.raises(AccessDeniedError):
        world.desk.create(wanted(), "key-000001")
    assert list(world.desk.customers()) == []
