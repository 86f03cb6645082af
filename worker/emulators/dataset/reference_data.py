"""The small collections of an agreement: the company itself, groups, terms, zones, employees, years.

Names and types follow a Danish agreement as recorded (e-conomic REST docs: self, payment terms, vat zones,
accounting years).
"""

from calendar import monthrange
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Literal

from worker.emulators.dataset.model import Document

Role = Literal["SuperUser", "Bookkeeping", "Sales", "Purchasing", "Basic"]
ROLE_NUMBERS: dict[Role, int] = {"SuperUser": 2, "Bookkeeping": 3, "Sales": 4, "Purchasing": 5, "Basic": 1}

DANISH, FOREIGN, PUBLIC, RESELLERS, PRIVATE = 1, 2, 3, 4, 5
DOMESTIC, EU, ABROAD, EXEMPT = 1, 2, 3, 4
NET_8, NET_14, NET_30, MONTH_30, DUE_DATE, PREPAID, CASH = 1, 2, 3, 4, 5, 6, 7


def agreement(
    number: int = 1_482_735,
    *,
    company: str = "Nordlys Kontor & Teknik A/S",
    base_currency: str = "DKK",
    roles: Sequence[Role] = ("SuperUser",),
    modules: Sequence[str] = ("Lager", "Abonnement og Betalingsservice"),
) -> Document:
    """What `GET /self` answers, without links; the arguments make other agreements for tests.

    Ask for `roles=("Sales",)` to get an app that may not read accounting years.
    """
    return {
        "agreementNumber": number,
        "agreementType": {"agreementTypeNumber": 1, "name": "denmark"},
        "userName": "adm",
        "signupDate": "2016-02-17",
        "user": {
            "loginId": "adm",
            "email": "bogholderi@nordlys.example",
            "name": "Birgit Holm",
            "language": {"languageNumber": 1, "name": "Danish", "culture": "da-DK"},
            "agreementNumber": number,
        },
        "company": _company(company),
        "bankInformation": {"bankName": "Eksempelbanken", "bankSortCode": "0000", "bankAccountNumber": "1234567890"},
        "application": _application(roles),
        "settings": {"baseCurrency": base_currency},
        "companyAffiliation": "e-conomic",
        "canSendElectronicInvoice": True,
        "modules": [{"moduleNumber": 14 + i, "name": name} for i, name in enumerate(modules, start=1)],
    }


def _company(name: str) -> Document:
    return {
        "name": name,
        "addressLine1": "Nordhavnsvej 12",
        "zip": "8000",
        "city": "Aarhus C",
        "country": "Danmark",
        "attention": "Bogholderiet",
        "email": "bogholderi@nordlys.example",
        "phoneNumber": "+45 86 00 00 00",
        "website": "https://nordlys.example",
        "companyIdentificationNumber": "10000009",
    }


def _application(roles: Sequence[Role]) -> Document:
    return {
        "appNumber": 4711,
        "name": "iGlobe CRM sync",
        "appPublicToken": "local-emulator-public-token",
        "created": "2024-03-01",
        "requiredRoles": [{"roleNumber": ROLE_NUMBERS[role], "name": role} for role in roles],
    }


def customer_groups() -> list[Document]:
    """Five groups, each with its debtor account."""
    names = {
        DANISH: ("Danske kunder", 5600),
        FOREIGN: ("Udenlandske kunder", 5610),
        PUBLIC: ("Offentlige kunder", 5620),
        RESELLERS: ("Forhandlere", 5630),
        PRIVATE: ("Private kunder", 5640),
    }
    return [
        {"customerGroupNumber": number, "name": name, "account": {"accountNumber": account}}
        for number, (name, account) in names.items()
    ]


def payment_terms() -> list[Document]:
    """Terms of every type the sync must understand; `dueDate` and `prepaid` have no days of credit."""
    rows: list[tuple[int, str, str, int | None]] = [
        (NET_8, "Netto 8 dage", "net", 8),
        (NET_14, "Netto 14 dage", "net", 14),
        (NET_30, "Netto 30 dage", "net", 30),
        (MONTH_30, "Løbende måned 30 dage", "invoiceMonth", 30),
        (DUE_DATE, "Forfaldsdato", "dueDate", None),
        (PREPAID, "Forudbetalt", "prepaid", None),
        (CASH, "Til omgående betaling", "net", 0),
    ]
    return [_payment_term(*row) for row in rows]


def _payment_term(number: int, name: str, kind: str, days: int | None) -> Document:
    row: Document = {"paymentTermsNumber": number}
    if days is not None:
        row["daysOfCredit"] = days
    return row | {"name": name, "description": name, "paymentTermsType": kind}


def vat_zones() -> list[Document]:
    """The four zones of a Danish agreement."""
    names = {DOMESTIC: "Domestic", EU: "EU", ABROAD: "Abroad", EXEMPT: "Domestic exempt VAT"}
    return [
        {
            "vatZoneNumber": number,
            "name": name,
            "enabledForCustomer": True,
            "enabledForSupplier": number != EXEMPT,
        }
        for number, name in names.items()
    ]


def employees() -> list[Document]:
    """Five salespeople, one of them barred because she left."""
    names = ("Mette Kjær", "Jonas Østergaard", "Søren Bæk", "Aïcha Lund", "Hanne Winther")
    rows: list[Document] = [
        {
            "employeeNumber": number,
            "name": name,
            "employeeGroup": {"employeeGroupNumber": 1},
            "email": f"salg{number}@nordlys.example",
        }
        for number, name in enumerate(names, start=1)
    ]
    rows[-1]["barred"] = True
    return rows


def accounting_years(today: date, start_month: int = 1) -> list[Document]:
    """Five years up to the one after the current; a year that spans two calendar years is named "2025/2026".

    The two oldest are closed (`closed` is omitted when open). Raises ValueError for a month outside 1..12.
    """
    if not 1 <= start_month <= 12:
        raise ValueError(f"A financial year starts in month 1 to 12, not {start_month}.")
    current = today.year if today.month >= start_month else today.year - 1
    years = [_accounting_year(year, start_month) for year in range(current - 3, current + 2)]
    for row in years[:2]:
        row["closed"] = True
    return years


def _accounting_year(year: int, start_month: int) -> Document:
    start = date(year, start_month, 1)
    end = date(year + 1, start_month, 1) - timedelta(days=1)
    name = str(year) if start_month == 1 else f"{year}/{year + 1}"
    return {"year": name, "fromDate": start.isoformat(), "toDate": end.isoformat()}


def due_date(terms: Document, day: date) -> date | None:
    """When an invoice of `day` falls due; None for terms that set no date (prepaid, dueDate).

    "Løbende måned" counts its days from the last day of the invoice's month.
    """
    if terms["paymentTermsType"] == "net":
        return day + timedelta(days=terms["daysOfCredit"])
    if terms["paymentTermsType"] == "invoiceMonth":
        last = day.replace(day=monthrange(day.year, day.month)[1])
        return last + timedelta(days=terms["daysOfCredit"])
    return None
