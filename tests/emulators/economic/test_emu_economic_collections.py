"""Classic collections over HTTP: envelope, links, paging, filter and sort errors."""

import pytest
from emu_economic_support import Served


def test_envelope_and_links(emu: Served) -> None:
    """Page links replace or add paging only, keep the rest as asked, and first and last page lack a neighbour."""
    asked = "/customers?sort=customerNumber&filter=lastUpdated%24gt%3A2019-01-13&skippages=1&pagesize=2"
    body = emu.json(asked)
    page = body["pagination"]
    assert (page["maxPageSizeAllowed"], page["skipPages"], page["pageSize"]) == (1000, 1, 2)
    assert (page["results"], page["resultsWithoutFilter"]) == (4, 4)
    assert "nextPage" not in page
    assert page["previousPage"] == emu.url + asked.replace("skippages=1", "skippages=0")
    assert page["lastPage"] == emu.url + asked
    assert body["self"] == emu.url + asked
    assert body["metaData"]["create"]["href"] == emu.url + asked
    assert [each["customerNumber"] for each in body["collection"]] == [3, 5]


def test_next_page_is_followed_to_the_end(emu: Served) -> None:
    """Following nextPage gives every row once."""
    url, seen = "/customers?pagesize=3", []
    while url:
        body = emu.json(url)
        seen += [each["customerNumber"] for each in body["collection"]]
        url = body["pagination"].get("nextPage", "").removeprefix(emu.url)
    assert seen == [1, 2, 3, 5]


def test_past_the_end_is_empty_with_true_counts(emu: Served) -> None:
    """A page past the end is an empty collection, not an error."""
    body = emu.json("/customers?pagesize=2&skippages=9&filter=barred$eq:true")
    assert body["collection"] == []
    assert (body["pagination"]["results"], body["pagination"]["resultsWithoutFilter"]) == (1, 4)


def test_default_page_size(emu: Served) -> None:
    """Without a page size, 20 rows make a page."""
    assert emu.json("/customers")["pagination"]["pageSize"] == 20


@pytest.mark.parametrize("query", ["pagesize=1001", "pagesize=0", "pagesize=x", "skippages=-1"])
def test_page_size_out_of_range(emu: Served, query: str) -> None:
    """Page sizes outside 1 to 1000 are refused with E04810."""
    answer = emu.get(f"/customers?{query}")
    assert (answer.status_code, answer.json()["errorCode"]) == (400, "E04810")


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("filter=balance$ne:0", [1, 2, 3]),
        ("filter=barred$eq:true", [2]),
        ("filter=name$like:æ", [1, 5]),
        ("filter=name$eq:Øst $(Import$) [DK] 100$$$*$, Ltd.", [3]),
        ("filter=customerGroup.customerGroupNumber$eq:2", [3]),
        ("filter=corporateIdentificationNumber$eq:10000009", [1]),
        ("filter=email$eq:$null:", [2, 3]),
        ("filter=creditLimit$gt:100", [5]),
        ("filter=lastUpdated$gte:2026-02-01T08:30:00Z", [2, 5]),
        ("filter=customerNumber$gt:2&sort=-customerNumber", [5, 3]),
        ("sort=-lastUpdated", [5, 2, 1, 3]),
        ("sort=name", [2, 5, 1, 3]),
    ],
)
def test_customer_filters_and_sorts(emu: Served, query: str, expected: list[int]) -> None:
    """The filterable and sortable customer properties work, texts without regard to case."""
    path, _, _ = query.partition("#")
    assert emu.numbers(f"/customers?{path}") == expected


def test_bad_filter_lists_what_is_allowed(emu: Served) -> None:
    """A filter on a property that is not filterable answers 400 with the list of those that are."""
    for text in ("dueAmount$gt:0", "salesPerson.employeeNumber$eq:1", "name$eq:a$b"):
        answer = emu.get("/customers", params={"filter": text})
        body = answer.json()
        assert answer.status_code == 400
        assert body["message"] == "Could not parse query string filter."
        assert isinstance(body["errors"][0], str)
        assert "balance" in body["allowedFilteringFields"]
        assert "dueAmount" not in body["allowedFilteringFields"]


def test_bad_sort_names_no_alternatives(emu: Served) -> None:
    """An unsortable property answers 400, without a list."""
    answer = emu.get("/customers?sort=barred")
    assert answer.status_code == 400
    assert answer.json()["message"].startswith("Could not parse query string sort parameter")
    assert "allowedFilteringFields" not in answer.json()


def test_customer_document(emu: Served) -> None:
    """What is empty is left out, "" and line breaks stay, references carry their links, zero has its own scale."""
    first, second, third, fourth = emu.json("/customers")["collection"]
    assert "barred" not in first
    assert second["barred"] is True
    assert second["address"] == "Vej 1\rBaghuset"
    assert fourth["email"] == ""
    assert "email" not in third
    assert first["customerGroup"]["self"] == f"{emu.url}/customer-groups/1"
    assert first["totals"]["booked"] == f"{emu.url}/invoices/totals/booked/customers/1"
    assert first["contacts"] == f"{emu.url}/customers/1/contacts"
    assert "metaData" not in first
    raw = emu.get("/customers").text
    assert '"balance":0.0,"dueAmount":0.00' in raw
    assert '"balance":310.00,"dueAmount":250.00' in raw


def test_single_customer_offers_replace_and_delete(emu: Served) -> None:
    """Only the single customer carries metaData."""
    assert emu.json("/customers/1")["metaData"]["replace"]["href"] == f"{emu.url}/customers/1"


def test_demo_is_echoed_into_every_link(emu: Served) -> None:
    """With ?demo=true every link of the answer carries it."""
    body = emu.session.get(f"{emu.url}/customers?demo=true&pagesize=1", timeout=10).json()
    assert body["collection"][0]["self"] == f"{emu.url}/customers/1?demo=true"
    assert "demo=true" in body["pagination"]["nextPage"]


@pytest.mark.parametrize(
    ("path", "key", "expected"),
    [
        ("/customer-groups", "customerGroupNumber", [1, 2]),
        ("/customer-groups?filter=name$eq:gruppe 2", "customerGroupNumber", [2]),
        ("/payment-terms", "paymentTermsNumber", [1]),
        ("/vat-zones", "vatZoneNumber", [1, 2]),
        ("/employees", "employeeNumber", [9]),
        ("/layouts", "layoutNumber", []),
        ("/customer-groups/2/customers", "customerNumber", [3]),
        ("/employees/9/invoices/booked", "bookedInvoiceNumber", [2]),
        ("/customers/1/contacts", "customerContactNumber", [11, 12]),
        ("/customers/1/contacts?filter=name$eq:åse", "customerContactNumber", [12]),
        ("/customers/1/delivery-locations", "deliveryLocationNumber", []),
        ("/accounting-years", "year", ["2025", "2026/2027"]),
    ],
)
def test_reference_collections(emu: Served, path: str, key: str, expected: list[object]) -> None:
    """The small collections share the envelope and filter by what they allow."""
    assert [each[key] for each in emu.json(path)["collection"]] == expected


def test_vat_zone_filter_is_a_switch(emu: Served) -> None:
    """Whether vat-zones can be filtered is not known: both positions exist."""
    assert emu.get("/vat-zones?filter=name$eq:EU").status_code == 400
    emu.switch(vat_zones_filterable="yes")
    assert emu.numbers("/vat-zones?filter=name$eq:EU", "vatZoneNumber") == [2]


def test_self(emu: Served) -> None:
    """The connection test shows agreement, application and base currency."""
    body = emu.json("/self")
    assert (body["agreementNumber"], body["settings"]["baseCurrency"]) == (42, "DKK")
    assert body["self"] == f"{emu.url}/self"


def test_accounting_year_keys_are_encoded_in_links(emu: Served) -> None:
    """A slash in a year is _6_ in its path; %2F works only where the switch says so."""
    year = emu.json("/accounting-years")["collection"][1]
    assert year["self"] == f"{emu.url}/accounting-years/2026_6_2027"
    assert "closed" not in year
    assert emu.json("/accounting-years/2026_6_2027")["year"] == "2026/2027"
    assert emu.get("/accounting-years/2026%2F2027/periods").status_code == 404
    emu.switch(slash_in_year_path="yes")
    periods = emu.json("/accounting-years/2026%2F2027/periods?pagesize=50")["collection"]
    assert (periods[0]["periodNumber"], len(periods)) == (13, 18)


def test_accounting_year_entries_and_totals(emu: Served) -> None:
    """Entries derive from invoices and payments; only the debtor line has the customer; accounts sum to 0."""
    entries = emu.json("/accounting-years/2026_6_2027/entries?pagesize=100")["collection"]
    assert all((each["account"]["accountNumber"] == 5600) == ("customer" in each) for each in entries)
    assert {each["entryType"] for each in entries} == {"customerInvoice", "customerPayment"}
    totals = emu.json("/accounting-years/2026_6_2027/totals")["collection"]
    assert sum(round(each["totalInBaseCurrency"] * 100) for each in totals) == 0
    period = emu.json("/accounting-years/2026_6_2027/periods/14/entries?filter=entryType$eq:customerInvoice")
    assert period["pagination"]["results"] > 0
    assert all(each["date"].startswith("2026-02") for each in period["collection"])


def test_unknown_paths_are_classic_errors(emu: Served) -> None:
    """Unknown resources, methods and numbers no table holds answer in the classic error shape."""
    for path in ("/nothing", "/customers/99", "/customers/99999999999999999999", "/accounting-years/1999"):
        answer = emu.get(path)
        assert (answer.status_code, answer.json()["httpStatusCode"]) == (404, 404)
    assert emu.send("PATCH", "/customers", {}).status_code == 405
