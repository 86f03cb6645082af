"""Invoices: states, credit notes, single documents, PDF, the sent log, drafts and booking."""

import pytest
from emu_economic_support import Served, invoice

KEY = "bookedInvoiceNumber"


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("booked", [1, 2, 3, 4, 5, 6]),
        ("paid", [1]),
        ("unpaid", [2, 3, 4, 5, 6]),
        ("overdue", [2, 4]),
        ("not-due", [3, 5, 6]),
        ("booked?filter=bookedInvoiceNumber$gt:4", [5, 6]),
        ("booked?filter=customer.customerNumber$eq:3", [4]),
        ("booked?filter=recipient.name$like:buyer 2", [5]),
        ("booked?filter=references.salesPerson.employeeNumber$eq:9", [2]),
        ("booked?filter=exchangeRate$gt:100", [4]),
        ("booked?filter=date$gte:2026-02-20&sort=-date", [6, 5, 3]),
        ("unpaid?filter=currency$eq:eur", [4]),
    ],
)
def test_collections_by_state(emu: Served, path: str, expected: list[int]) -> None:
    """Paid, unpaid, overdue and not due follow from remainder, due date and the day; due today is not overdue."""
    assert emu.numbers(f"/invoices/{path}", KEY) == expected


@pytest.mark.parametrize(
    "path", ["booked?filter=dueDate$gt:2026-01-01", "booked?filter=remainder$ne:0", "paid?filter=exchangeRate$gt:1"]
)
def test_unfilterable_invoice_properties(emu: Served, path: str) -> None:
    """Due date, remainder and, in the lists by state, exchange rate cannot be filtered by."""
    assert emu.get(f"/invoices/{path}").status_code == 400


def test_overdue_moves_with_the_day_alone(emu: Served) -> None:
    """At midnight an invoice becomes overdue and its customer's dueAmount follows, with nothing changed."""
    before = emu.json("/customers/1")
    emu.send("POST", "/_emulator/today", {"date": "2026-03-03"})
    assert emu.numbers("/invoices/overdue", KEY) == [2, 3, 4]
    after = emu.json("/customers/1")
    assert (before["dueAmount"], after["dueAmount"]) == (250, 300)
    assert before["lastUpdated"] == after["lastUpdated"]


def test_foreign_currency_balance_is_in_base_currency(emu: Served) -> None:
    """A EUR customer's balance and amount due are in the agreement's base currency."""
    body = emu.json("/customers/3")
    assert (body["currency"], body["balance"], body["dueAmount"]) == ("EUR", 29.84, 29.84)


def test_credit_note(emu: Served) -> None:
    """A credit note is a booked invoice with negative amounts; a negative balance means nothing is due."""
    assert emu.json("/invoices/booked/5")["grossAmount"] == -100
    assert (emu.json("/customers/2")["balance"], emu.json("/customers/2")["dueAmount"]) == (-100, 0)
    emu.switch(unmatched_credit_notes_in_unpaid="no")
    assert emu.numbers("/invoices/unpaid", KEY) == [2, 3, 4, 6]


def test_single_has_lines_and_lists_do_not(emu: Served) -> None:
    """Lines stand on the single invoice; in the list only where the switch says so."""
    single = emu.json("/invoices/booked/2")
    assert single["lines"][0]["product"]["self"] == f"{emu.url}/products/P2"
    assert (single["lines"][0]["lineNumber"], single["lines"][0]["totalNetAmount"]) == (1, 200)
    assert "lines" not in emu.json("/invoices/booked")["collection"][0]
    emu.switch(lines_in_booked_list="yes")
    assert "lines" in emu.json("/invoices/booked")["collection"][0]


def test_no_last_updated_and_no_overdue_below_booked(emu: Served) -> None:
    """Booked invoices carry no lastUpdated, and /invoices/booked/overdue does not exist."""
    assert "lastUpdated" not in emu.json("/invoices/booked/1")
    assert emu.get("/invoices/booked/overdue").status_code == 404


def test_pdf(emu: Served) -> None:
    """The PDF is one, costs more than a page, and may be closed to the role."""
    link = emu.json("/invoices/booked/2")["pdf"]["download"].removeprefix(emu.url)
    answer = emu.get(link)
    assert answer.headers["Content-Type"] == "application/pdf"
    assert answer.content.startswith(b"%PDF-")
    assert answer.headers["X-CallCost"] == "13"
    emu.switch(pdf_allowed="no")
    assert emu.get(link).status_code == 403


def test_links_page_and_links_of_a_customer(emu: Served) -> None:
    """/invoices and the link pages below a customer lead to collections that exist."""
    for path in ("/invoices", "/customers/1/invoices", "/customers/1/totals", "/customers/1/templates"):
        for name, link in emu.json(path).items():
            if path != "/customers/1/templates" or name == "self":
                assert emu.get(link.removeprefix(emu.url)).status_code == 200
    assert emu.numbers("/customers/1/invoices/booked", KEY) == [1, 2, 3, 6]


def test_sent_log_holds_electronic_invoices(emu: Served) -> None:
    """Invoices to a recipient with an EAN stand in the sent log."""
    sent = invoice(7, 1, "2026-03-01", None, (1.0, 1.0, 0.0), recipient={"name": "Kommune", "ean": "5790000000000"})
    emu.send("POST", "/_emulator/mutate", {"invoices": [sent]})
    entries = emu.json("/invoices/sent")["collection"]
    assert [(each["invoice"][KEY], each["sendBy"]) for each in entries] == [(7, "ean")]
    assert emu.json("/invoices/booked/1/sent")["collection"] == []


def draft(emu: Served) -> int:
    body = {
        "date": "2026-03-02",
        "dueDate": "2026-03-16",
        "currency": "DKK",
        "customer": {"customerNumber": 5},
        "paymentTerms": {"paymentTermsNumber": 1},
        "recipient": {"name": "æblehuset", "vatZone": {"vatZoneNumber": 1}},
        "lines": [{"description": "Stol", "quantity": 2, "unitNetPrice": 100, "discountPercentage": 10}],
    }
    answer = emu.send("POST", "/invoices/drafts", body)
    assert answer.status_code == 201
    number: int = answer.json()["draftInvoiceNumber"]
    return number


def test_draft_touches_no_balance_until_booked(emu: Served) -> None:
    """A draft computes its totals and leaves the balance alone; booking moves it, once, and ends the draft."""
    number = draft(emu)
    body = emu.json(f"/invoices/drafts/{number}")
    assert (body["netAmount"], body["vatAmount"], body["grossAmount"]) == (180, 45, 225)
    assert emu.json("/customers/5")["balance"] == 0
    assert emu.json("/invoices/totals/drafts")["netAmountInBaseCurrency"] == 180
    booked = emu.send("POST", "/invoices/booked", {"draftInvoice": {"draftInvoiceNumber": number}})
    assert (booked.status_code, booked.json()[KEY], booked.json()["remainder"]) == (201, 7, 225)
    assert booked.headers["Location"] == f"{emu.url}/invoices/booked/7"
    assert "draftInvoiceNumber" not in booked.json()
    assert emu.get(f"/invoices/drafts/{number}").status_code == 404
    assert emu.json("/customers/5")["balance"] == 225
    assert emu.send("POST", "/invoices/booked", {"draftInvoice": {"draftInvoiceNumber": number}}).status_code == 400


def test_booking_bumps_last_updated_only_by_switch(emu: Served) -> None:
    """A booking leaves the customer's lastUpdated alone, or moves it: both are possible."""
    before = emu.json("/customers/5")["lastUpdated"]
    emu.send("POST", "/invoices/booked", {"draftInvoice": {"draftInvoiceNumber": draft(emu)}})
    assert emu.json("/customers/5")["lastUpdated"] == before
    emu.switch(last_updated_bumped_by_booking="yes")
    emu.send("POST", "/invoices/booked", {"draftInvoice": {"draftInvoiceNumber": draft(emu)}})
    assert emu.json("/customers/5")["lastUpdated"] == "2026-03-02T12:00:00Z"
    assert emu.numbers("/customers?filter=lastUpdated$gte:2026-03-02") == [5]


@pytest.mark.parametrize(
    ("change", "status"),
    [({"sendBy": "ean"}, 400), ({"sendBy": "EAN"}, 201), ({"bookWithNumber": 3}, 400), ({"bookWithNumber": 50}, 201)],
)
def test_booking_options(emu: Served, change: dict[str, object], status: int) -> None:
    """sendBy is case-strict; an explicit number must be free."""
    body = {"draftInvoice": {"draftInvoiceNumber": draft(emu)}, **change}
    answer = emu.send("POST", "/invoices/booked", body)
    assert answer.status_code == status


def test_drafts_cannot_be_deleted_as_a_whole(emu: Served) -> None:
    """The dangerous DELETE of all drafts is not offered."""
    assert emu.send("DELETE", "/invoices/drafts").status_code == 405


def test_drafts_filter_but_do_not_sort_by_last_updated(emu: Served) -> None:
    """lastUpdated of drafts is filterable, and sorting by it is refused."""
    number = draft(emu)
    assert emu.numbers("/invoices/drafts?filter=lastUpdated$gte:2026-03-02", "draftInvoiceNumber") == [number]
    assert emu.get("/invoices/drafts?sort=lastUpdated").status_code == 400
