"""What every Target must do: the same tests on the in-memory fake and on the adapter over the SharePoint emulator."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from target_worlds import COMPANY, CONTACT, INVOICE, SiteWorld

from worker.domain.values import Item, TargetKind, Value
from worker.errors import ConfigError
from worker.ports import Create, Target, Update, WriteOutcome, WriteStatus


@pytest.fixture
def world(site_world: SiteWorld) -> SiteWorld:
    """A site of its own for each test."""
    return site_world


def make(target: Target, *rows: dict[str, Value]) -> list[int]:
    """Items as a run creates them; their ids in the order of `rows`."""
    writes = [Create(str(at), row) for at, row in enumerate(rows)]
    outcomes = {outcome.write.key: outcome for outcome in target.write(writes)}
    assert {outcome.status for outcome in outcomes.values()} == {WriteStatus.DONE}
    return [outcomes[str(at)].item_id or 0 for at in range(len(rows))]


def one(target: Target, write: Create | Update) -> WriteOutcome:
    (outcome,) = target.write([write])
    return outcome


def read(target: Target, item_id: int, *columns: str) -> Item:
    (found,) = [item for item in target.items(columns or list(target.columns)) if item.item_id == item_id]
    return found


def test_what_is_created_is_read_back(world):
    """Every item, in id order, with the columns asked for and no others."""
    target = world.target(COMPANY)
    ids = make(target, {"Title": "A", "CustomerID": "1"}, {"Title": "B", "CustomerID": "2"})
    items = list(target.items(["Title", "City"]))
    assert [(item.item_id, item.values) for item in items] == [
        (ids[0], {"Title": "A", "City": None}),
        (ids[1], {"Title": "B", "City": None}),
    ]
    assert all(item.version for item in items)


TEXTS = [
    'O\'Brien & Sønner "Æblet" <A/S>',
    "日本 🍏 emoji",
    "100 % + # ? / \\ {x}",
    "-- HTTP/1.1 200 OK",
    "=SUM(A1)",
]


@pytest.mark.parametrize("text", TEXTS)
def test_any_text_comes_back_as_it_was(world, text):
    """In text columns and in keys that are looked up."""
    target = world.target(COMPANY)
    (item_id,) = make(target, {"Title": text, "CustomerID": "1", "ImportID": text})
    assert read(target, item_id).values["Title"] == text
    assert [item.item_id for item in target.find("ImportID", [text], ["Title"])] == [item_id]


def test_one_item_is_read_as_it_stands_now(world):
    """With the version that a write needs; None when there is none."""
    target = world.target(COMPANY)
    (item_id,) = make(target, {"Title": "A"})
    world.edit(COMPANY, item_id, Title="B")
    item = target.item(item_id, ["Title"])
    assert item is not None
    assert item.values == {"Title": "B"}
    assert one(target, Update("1", item_id, item.version, {"Title": "C"})).status is WriteStatus.DONE
    assert target.item(item_id + 1000, ["Title"]) is None


def test_who_gave_a_column_its_value_is_known(world):
    """The worker's is what it wrote last, whatever else a person saved since."""
    target = world.target(COMPANY)
    (item_id,) = make(target, {"Title": "A", "City": "X", "CustomerID": "1"})
    asked = ["Title", "City", "CustomerID"]
    assert target.given_by_worker(item_id, asked) == set(asked)
    world.edit(COMPANY, item_id, City="Y")
    assert target.given_by_worker(item_id, asked) == {"Title", "CustomerID"}
    one(target, Update("1", item_id, read(target, item_id).version, {"Title": "B"}))
    assert target.given_by_worker(item_id, asked) == {"Title", "CustomerID"}
    one(target, Update("1", item_id, read(target, item_id).version, {"City": "X"}))
    assert target.given_by_worker(item_id, asked) == set(asked)
    assert target.given_by_worker(item_id + 1000, asked) == set()


def test_an_item_that_a_person_saved_was_touched(world):
    """However often its maker saved it, before or after."""
    target = world.target(COMPANY)
    mine, theirs = make(target, {"Title": "A"}, {"Title": "B"})
    one(target, Update("1", mine, "*", {"Title": "C"}))
    world.edit(COMPANY, theirs, City="Aarhus")
    one(target, Update("1", theirs, "*", {"Title": "D"}))
    assert target.never_touched(mine)
    assert not target.never_touched(theirs)
    assert not target.never_touched(theirs + 1000)


def test_only_the_version_that_was_looked_at_is_recycled(world):
    """And an item that is not there is not."""
    target = world.target(COMPANY)
    (item_id,) = make(target, {"Title": "A"})
    item = target.item(item_id, ["Title"])
    world.edit(COMPANY, item_id, Title="B")
    assert not target.recycle(item_id, item.version)
    assert target.item(item_id, ["Title"]) is not None
    assert target.recycle(item_id, target.item(item_id, ["Title"]).version)
    assert target.item(item_id, ["Title"]) is None
    assert not target.recycle(item_id, item.version)


def test_items_are_found_by_what_they_point_to(world):
    """A look-up is asked for by the id of the item it points to."""
    (company,) = make(world.target(COMPANY), {"Title": "A"})
    contacts = world.target(CONTACT)
    ids = make(contacts, {"Title": "Ane", "Company": company}, {"Title": "Bo"})
    assert [item.item_id for item in contacts.find("Company", [str(company)], ["Title"])] == ids[:1]


def test_line_breaks_of_a_note_come_back(world):
    """Addresses have several lines."""
    target = world.target(COMPANY)
    (item_id,) = make(target, {"Title": "A", "Address": "Vej 1\n2. sal\n\nc/o Æ"})
    assert read(target, item_id, "Address").values["Address"] == "Vej 1\n2. sal\n\nc/o Æ"


@pytest.mark.parametrize(
    "amount", [Decimal("0.1") + Decimal("0.2"), Decimal(10**9), Decimal("-12345678.99"), Decimal("0.01"), Decimal(0)]
)
def test_money_comes_back_exact(world, amount):
    """No cent is lost between a Decimal and the list."""
    target = world.target(COMPANY)
    (item_id,) = make(target, {"Title": "A", "Balance": amount})
    assert read(target, item_id, "Balance").values["Balance"] == amount


@pytest.mark.parametrize(
    "day", [date(2026, 3, 29), date(2026, 10, 25), date(2026, 1, 1), date(2026, 12, 31), date(2024, 2, 29)]
)
def test_a_date_comes_back_as_the_same_day(world, day):
    """Also in the nights when the clock changes."""
    target = world.target(INVOICE)
    (item_id,) = make(target, {"Title": "A", "InvoiceNumber": "1", "InvoiceDate": day})
    assert read(target, item_id, "InvoiceDate").values["InvoiceDate"] == day


def test_a_moment_a_choice_and_a_look_up_come_back(world):
    """Times in UTC; a look-up is the id of the other list's item."""
    companies, contacts = world.target(COMPANY), world.target(CONTACT)
    moment = datetime(2026, 10, 25, 0, 30, 15, tzinfo=UTC)
    (company,) = make(companies, {"Title": "A", "FiguresAsOf": moment, "SalesTrend": "No sales"})
    (contact,) = make(contacts, {"Title": "Mette", "ImportID": "1-1", "Company": company})
    values = read(companies, company).values
    assert (values["FiguresAsOf"], values["SalesTrend"]) == (moment, "No sales")
    assert read(contacts, contact).values["Company"] == company


def test_an_update_changes_its_columns_and_no_others(world):
    """And gives the version that the next update needs."""
    target = world.target(COMPANY)
    (item_id,) = make(target, {"Title": "A", "City": "Ry", "Zip": "8680"})
    first = one(target, Update("1", item_id, read(target, item_id).version, {"City": "Skanderborg"}))
    assert (first.status, first.item_id) == (WriteStatus.DONE, item_id)
    values = read(target, item_id).values
    assert (values["Title"], values["City"], values["Zip"]) == ("A", "Skanderborg", "8680")
    second = one(target, Update("1", item_id, first.version, {"City": "Ry"}))
    assert second.status is WriteStatus.DONE


def test_the_version_a_create_gives_serves_for_an_update(world):
    """Or none is given, and the item must be read."""
    target = world.target(COMPANY)
    created = one(target, Create("1", {"Title": "A"}))
    assert created.item_id is not None
    version = created.version or read(target, created.item_id).version
    assert one(target, Update("1", created.item_id, version, {"City": "Ry"})).status is WriteStatus.DONE


def test_none_clears_a_column(world):
    """Of any kind."""
    target = world.target(COMPANY)
    row: dict[str, Value] = {"Title": "A", "City": "Ry", "Address": "x", "Balance": Decimal(1), "SalesTrend": "New"}
    row |= {"LastInvoiceDate": date(2026, 1, 1), "FiguresAsOf": datetime(2026, 1, 1, tzinfo=UTC)}
    (item_id,) = make(target, row)
    cleared: dict[str, Value] = dict.fromkeys(list(row)[1:])
    assert one(target, Update("1", item_id, read(target, item_id).version, cleared)).status is WriteStatus.DONE
    assert read(target, item_id, *cleared).values == cleared


def test_an_item_that_somebody_saved_meanwhile_is_not_overwritten(world):
    """The person's value stays."""
    target = world.target(COMPANY)
    (item_id,) = make(target, {"Title": "A", "City": "Ry"})
    before = read(target, item_id).version
    world.edit(COMPANY, item_id, City="Aarhus")
    assert one(target, Update("1", item_id, before, {"City": "Odense"})).status is WriteStatus.CHANGED_MEANWHILE
    assert read(target, item_id).values["City"] == "Aarhus"


def test_a_deleted_item_is_gone(world):
    """An update says so and creates nothing."""
    target = world.target(COMPANY)
    (item_id,) = make(target, {"Title": "A"})
    version = read(target, item_id).version
    world.remove(COMPANY, item_id)
    assert one(target, Update("1", item_id, version, {"City": "Ry"})).status is WriteStatus.GONE
    assert list(target.items(["Title"])) == []


def test_a_unique_key_exists_once(world):
    """The second create is a duplicate; letter case makes no difference."""
    target = world.target(INVOICE)
    make(target, {"Title": "A", "InvoiceNumber": "X1"})
    assert one(target, Create("x1", {"Title": "B", "InvoiceNumber": "x1"})).status is WriteStatus.DUPLICATE
    assert len(list(target.items(["Title"]))) == 1


def test_a_write_whose_answer_was_lost_is_unknown_and_found_by_its_key(world):
    """It was saved; the look-up proves it."""
    target = world.target(INVOICE)
    world.lose_next_answer()
    assert one(target, Create("77", {"Title": "A", "InvoiceNumber": "77"})).status is WriteStatus.UNKNOWN
    (found,) = target.find("InvoiceNumber", ["77"], ["InvoiceNumber", "Title"])
    assert found.values == {"InvoiceNumber": "77", "Title": "A"}


def test_rows_of_one_batch_do_not_depend_on_each_other(world):
    """One answer for each write that was taken; good ones are saved beside bad ones."""
    target = world.target(INVOICE)
    make(target, {"Title": "A", "InvoiceNumber": "50"})
    writes = [Create(str(number), {"Title": "B", "InvoiceNumber": str(number)}) for number in range(250)]
    outcomes = list(target.write(writes))
    assert sorted(int(outcome.write.key) for outcome in outcomes) == list(range(250))
    assert [o.write.key for o in outcomes if o.status is not WriteStatus.DONE] == ["50"]
    assert len(list(target.items(["Title"]))) == 250


def test_a_caller_that_stops_feeding_stops_the_writing(world):
    """Nothing is taken that is not sent, and everything taken is answered."""
    target = world.target(INVOICE)
    taken: list[Create] = []

    def feed() -> Iterator[Create]:
        for number in range(100_000):
            if len(taken) == 130:
                return
            taken.append(Create(str(number), {"Title": "A", "InvoiceNumber": str(number)}))
            yield taken[-1]

    outcomes = list(target.write(feed()))
    assert len(outcomes) == len(taken) == 130
    assert len(list(target.items(["Title"]))) == 130


def test_many_keys_are_found_in_one_call(world):
    """Those that exist, each once, whatever else is asked for."""
    target = world.target(INVOICE)
    make(target, *({"Title": "A", "InvoiceNumber": f"N{number}"} for number in range(60)))
    wanted = [f"N{number}" for number in range(0, 120, 2)] + ["N0", "", "nothing's here"]
    found = target.find("InvoiceNumber", wanted, ["InvoiceNumber"])
    assert sorted(str(item.values["InvoiceNumber"]) for item in found) == sorted(f"N{n}" for n in range(0, 60, 2))


def test_nothing_to_write_and_nothing_to_find_ask_for_nothing(world):
    """No request for an empty question."""
    target = world.target(INVOICE)
    before = world.site.usage().requests
    assert list(target.write([])) == []
    assert target.find("InvoiceNumber", [], ["Title"]) == []
    assert target.find("InvoiceNumber", [""], ["Title"]) == []
    assert world.site.usage().requests - before <= (0 if hasattr(world, "server") else 2)


def test_a_list_is_missing_only_when_somebody_took_it_off_the_site(world):
    """Each kind for itself."""
    world.remove_list(CONTACT)
    assert {kind: world.site.has_list(kind) for kind in TargetKind} == {
        kind: kind is not CONTACT for kind in TargetKind
    }


def test_binding_names_every_missing_column_of_every_profile(world):
    """Before anything is read."""
    wanted = {"One": (COMPANY, ["Title", "Nope"]), "Two": (INVOICE, ["InvoiceNumber", "Nada", "Nix"])}
    with pytest.raises(ConfigError) as caught:
        world.site.bind(wanted)
    assert len(caught.value.problems) == 3
    assert sorted(p.where.partition(":")[0] for p in caught.value.problems) == ["One", "Two", "Two"]


def test_one_target_serves_all_profiles_of_a_list(world):
    """With the union of their columns."""
    bound = world.site.bind({"A": (COMPANY, ["CustomerID", "City"]), "B": (COMPANY, ["CustomerID", "Zip"])})
    assert set(bound) == {TargetKind.COMPANY}
    assert {"CustomerID", "City", "Zip"} <= set(bound[COMPANY].columns)
    assert bound[COMPANY].kind is COMPANY


def test_requests_are_counted(world):
    """Reads and writes, for the run's report."""
    target = world.target(COMPANY)
    before = world.site.usage()
    make(target, {"Title": "A"})
    list(target.items(["Title"]))
    after = world.site.usage()
    assert after.write_requests == before.write_requests + 1
    assert after.requests > before.requests + 1
    assert after.units > before.units
