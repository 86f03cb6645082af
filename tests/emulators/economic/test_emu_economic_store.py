"""The store alone: loading, recordings, persistence, balances, snapshot, the next day, and that reads use indexes."""

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from emu_economic_support import TODAY, Agreement, Served, customer, invoice
from hypothesis import given, settings
from hypothesis import strategies as st

from worker.emulators.dataset import generate
from worker.emulators.economic.export import dataset_of
from worker.emulators.economic.store import EconomicStore

RECORDINGS = Path(__file__).parents[4] / "shared" / "data" / "economic-recordings"


@pytest.fixture
def store() -> Any:
    store = EconomicStore()
    yield store
    store.close()


def balances(store: EconomicStore, today: date = TODAY) -> dict[int, tuple[int, int]]:
    store.settle_due(today)
    return {row["number"]: (row["balance"], row["due"]) for row in store.query("SELECT * FROM customers")}


def test_a_file_keeps_everything(tmp_path: Path) -> None:
    """What was loaded is there again when the file is opened anew."""
    path = tmp_path / "deep" / "economic.sqlite"
    first = EconomicStore(path)
    assert first.is_empty()
    first.load(Agreement())
    before = balances(first)
    first.close()
    second = EconomicStore(path)
    assert not second.is_empty()
    assert balances(second) == before
    assert second.meta("self")["agreementNumber"] == 42
    second.close()


def test_snapshot_and_restore(store: EconomicStore) -> None:
    """Restore puts everything back as it was, balances included; without a snapshot it says so."""
    with pytest.raises(LookupError):
        store.restore()
    store.load(Agreement())
    store.snapshot()
    before = balances(store)
    store.put_booked([invoice(99, 1, "2026-01-01", "2026-01-02", (1.0, 1.0, 1.0))])
    store.put_customers([customer(77, "Ny")])
    assert balances(store) != before
    store.restore()
    assert balances(store) == before


def test_loading_replaces(store: EconomicStore) -> None:
    """A second load leaves nothing of the first."""
    store.load(Agreement(customers=[customer(70, "Gammel")], contacts=[], invoices=[]))
    store.load(Agreement())
    assert store.first("SELECT 1 FROM customers WHERE number = 70") is None


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.integers(1, 3),
            st.integers(-50_000, 50_000),
            st.dates(date(2026, 2, 1), date(2026, 4, 1)) | st.none(),
        ),
        max_size=25,
    )
)
def test_balance_is_the_sum_of_what_is_open(found: list[tuple[int, int, date | None]]) -> None:
    """Balance is the sum of remainders, due that of the overdue ones, and nothing is due on a negative balance."""
    store = EconomicStore()
    store.put_customers([customer(number, f"Kunde {number}") for number in (1, 2, 3)])
    store.put_booked(
        invoice(index, buyer, "2026-01-01", due.isoformat() if due else None, (0.0, cents / 100, cents / 100))
        for index, (buyer, cents, due) in enumerate(found, 1)
    )
    for number, (balance, due_cents) in balances(store).items():
        mine = [(cents, due) for buyer, cents, due in found if buyer == number]
        overdue = sum(cents for cents, due in mine if due is not None and due < TODAY)
        assert balance == sum(cents for cents, _ in mine)
        assert due_cents == (max(0, overdue) if balance >= 0 else 0)
    store.close()


@pytest.mark.parametrize(
    ("sql", "index"),
    [
        ("SELECT number FROM invoices i WHERE i.number > 5 ORDER BY i.number LIMIT 1000", "invoices_number"),
        ("SELECT number FROM customers c WHERE c.number > 5 ORDER BY c.number LIMIT 1000", "PRIMARY KEY"),
        ("SELECT number FROM contacts c WHERE c.number > 5 ORDER BY c.number LIMIT 1001", "PRIMARY KEY"),
        ("SELECT number FROM invoices i WHERE i.remainder <> 0 ORDER BY i.number", "invoices_open"),
        ("SELECT number FROM invoices i WHERE i.customer = 5", "invoices_customer"),
        ("SELECT number FROM customers c WHERE c.last_updated >= '2026'", "customers_updated"),
        ("SELECT number FROM contacts c WHERE c.last_updated >= '2026'", "contacts_updated"),
    ],
)
def test_big_reads_use_an_index(store: EconomicStore, sql: str, index: str) -> None:
    """The reads a synchronisation lives on never sort or scan a whole table."""
    plan = " ".join(row["detail"] for row in store.query(f"EXPLAIN QUERY PLAN {sql}"))
    assert index in plan
    assert "TEMP B-TREE" not in plan


def test_generated_data_set(store: EconomicStore) -> None:
    """A generated set loads whole, comes out again as it went in, and balances agree with its invoices."""
    data = generate("tiny", 3, TODAY)
    store.load(data)
    again = dataset_of(store, TODAY)
    assert [each["customerNumber"] for each in again.customers] == sorted(c["customerNumber"] for c in data.customers)
    assert json.dumps(list(again.invoices), sort_keys=True).count("bookedInvoiceNumber") == len(data.invoices)
    by_number = {each["bookedInvoiceNumber"]: each for each in data.invoices}
    for each in again.invoices:
        given_lines, lines = by_number[each["bookedInvoiceNumber"]]["lines"], each["lines"]
        assert [line["totalNetAmount"] for line in lines] == [line["totalNetAmount"] for line in given_lines]
        assert {**each, "lines": None} == {**by_number[each["bookedInvoiceNumber"]], "lines": None}
    total = sum(round(each["remainderInBaseCurrency"] * 100) for each in data.invoices)
    assert sum(balance for balance, _ in balances(store).values()) == total


# -- recordings ----------------------------------------------------------------------------------------------------


def write(directory: Path, name: str, body: object) -> None:
    (directory / name).write_text(json.dumps(body), encoding="utf-8")


def test_recorded_pages(store: EconomicStore, tmp_path: Path) -> None:
    """Overlapping pages count once, links are made anew, recorded balances hold."""
    recorded = {
        **customer(1, "Optaget"),
        "balance": 500.00,
        "dueAmount": 120.50,
        "self": "https://elsewhere.example/customers/1",
        "contacts": "https://elsewhere.example/customers/1/contacts",
    }
    write(tmp_path, "self.json", {"agreementNumber": 9, "self": "https://elsewhere.example/self"})
    write(tmp_path, "customers_0.json", {"collection": [recorded, customer(2, "To")]})
    write(tmp_path, "customers_filtered.json", {"collection": [recorded]})
    booked = invoice(5, 1, "2026-01-01", "2026-01-15", (80.0, 100.0, 100.0))
    draft = {**invoice(1, 1, "2026-01-01", None, (1.0, 1.0, 0.0)), "draftInvoiceNumber": 3}
    del draft["bookedInvoiceNumber"]
    write(tmp_path, "invoices_1.json", {"collection": [booked, draft]})
    store.load_recordings(tmp_path)
    assert balances(store)[1] == (50_000, 12_050)
    assert balances(store)[2] == (0, 0)
    assert store.value("SELECT COUNT(*) FROM invoices") == 1
    assert store.value("SELECT COUNT(*) FROM drafts") == 1
    assert "elsewhere" not in store.value("SELECT doc FROM customers WHERE number = 1")
    assert store.query("SELECT * FROM contacts") == []
    store.put_booked([{**booked, "remainder": 0.0, "remainderInBaseCurrency": 0.0}])
    assert balances(store)[1] == (40_000, 2_050)


def test_recordings_need_a_directory(store: EconomicStore, tmp_path: Path) -> None:
    """A directory that is not there is an error that names it."""
    with pytest.raises(FileNotFoundError, match="nowhere"):
        store.load_recordings(tmp_path / "nowhere")


@pytest.mark.skipif(not RECORDINGS.is_dir(), reason="the recorded answers lie beside the repository and are not here")
def test_real_recordings(emu: Served) -> None:
    """A thousand real customers load and are served field by field as recorded, links apart."""
    emu.store.load_recordings(RECORDINGS)
    recorded = json.loads((RECORDINGS / "customers_0.json").read_text(encoding="utf-8"))["collection"]
    served = emu.json("/customers?pagesize=1000")["collection"]
    assert [each["customerNumber"] for each in served] == [each["customerNumber"] for each in recorded]
    assert [without_hosts(each) for each in served] == [without_hosts(each) for each in recorded]


def without_hosts(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: without_hosts(each) for name, each in sorted(value.items())}
    text = str(value)
    for host in ("https://restapi.e-conomic.com", "http://127.0.0.1"):
        if text.startswith(host):
            return "/" + text.split("/", 3)[3]
    return value


# -- the next day --------------------------------------------------------------------------------------------------


def test_next_day_changes_the_source_and_tells_it(emu: Served) -> None:
    """The calendar moves on, new and changed rows appear, balances follow, and the story and CRM edits come back."""
    emu.store.load(generate("tiny", 1, TODAY))
    before = emu.json("/customers?pagesize=1000")["collection"]
    told = emu.send("POST", "/_emulator/next-day", {"seed": 5}).json()
    after = emu.json("/customers?pagesize=1000")["collection"]
    assert told["today"] == "2026-03-03"
    assert {edit["owner"] for edit in told["crm_edits"]} == {"CRM", "ERP"}
    assert told["story"]
    assert len(after) == len(before) + 1
    open_amounts = emu.json("/invoices/unpaid?pagesize=1000")["collection"]
    total = sum(round(each["remainderInBaseCurrency"] * 100) for each in open_amounts)
    assert sum(round(each["balance"] * 100) for each in after) == total
    second = emu.send("POST", "/_emulator/next-day", {"seed": 6}).json()
    assert second["today"] == "2026-03-04"


def test_next_day_is_the_same_for_the_same_seed(serve: Callable[..., Served]) -> None:
    """From the same state and seed the same day follows."""
    emu = serve()
    emu.store.load(generate("tiny", 1, TODAY))
    emu.store.snapshot()
    first = emu.send("POST", "/_emulator/next-day", {"seed": 5}).json()
    listed = emu.json("/customers?pagesize=1000")["collection"]
    emu.store.restore()
    assert emu.send("POST", "/_emulator/next-day", {"seed": 5}).json() == first
    assert emu.json("/customers?pagesize=1000")["collection"] == listed


def test_mutate_takes_documents_as_served(emu: Served) -> None:
    """Documents read from the API can be changed and handed back; removed contacts show by their lastUpdated."""
    renamed = {**emu.json("/customers/5"), "name": "Nyt navn", "lastUpdated": "2026-03-02T11:00:00Z"}
    contact = {**emu.json("/customers/1/contacts/11"), "phone": "1"}
    body = {"customers": [renamed], "contacts": [contact], "removed_contacts": [12]}
    assert emu.send("POST", "/_emulator/mutate", body).json() == {"customers": 1, "contacts": 1, "removed_contacts": 1}
    served = emu.json("/customers/5")
    assert (served["name"], served["lastUpdated"]) == ("Nyt navn", "2026-03-02T11:00:00Z")
    assert "metaData" not in emu.json("/customers")["collection"][3]
    query = {"filter": "lastUpdated$gte:2026-03-02"}
    changed = emu.json("/customersapi/v3.1.0/Contacts", params=query)["items"]
    assert [(each["number"], each.get("isDeleted")) for each in changed] == [(11, None), (12, True)]


def test_control_refuses_nonsense(emu: Served) -> None:
    """Wrong values on the control routes are 400 with a sentence."""
    for path, body in (("today", {"date": "soon"}), ("mutate", {"orders": []}), ("today", {})):
        answer = emu.send("POST", f"/_emulator/{path}", body)
        assert answer.status_code == 400
        assert answer.json()["error"]
