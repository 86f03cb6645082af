"""A hand-made agreement, so that every sum can be checked by eye, and what serves and asks it."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

import requests

from worker.emulators.economic.app import EconomicApp
from worker.emulators.economic.options import EconomicOptions
from worker.emulators.economic.store import EconomicStore

TODAY = date(2026, 3, 2)
NOON = datetime(2026, 3, 2, 12, 0, 0, tzinfo=UTC)
TOKENS = {"X-AppSecretToken": "test-app-secret", "X-AgreementGrantToken": "test-token"}
Document = dict[str, Any]


def customer(number: int, name: str, **more: Any) -> Document:
    """A plain customer."""
    return {
        "customerNumber": number,
        "name": name,
        "currency": "DKK",
        "paymentTerms": {"paymentTermsNumber": 1},
        "customerGroup": {"customerGroupNumber": 1},
        "vatZone": {"vatZoneNumber": 1},
        "lastUpdated": "2026-01-15T10:00:00Z",
        **more,
    }


def invoice(
    number: int, buyer: int, day: str, due: str | None, amounts: tuple[float, float, float], **more: Any
) -> Document:
    """A plain booked invoice; `amounts` are net, gross and remainder in the invoice's currency."""
    net, gross, remainder = amounts
    rate = more.pop("exchangeRate", 100.0)

    def base(value: float) -> float:
        return round(value * rate / 100, 2)

    document = {
        "bookedInvoiceNumber": number,
        "date": day,
        "currency": "DKK",
        "exchangeRate": rate,
        "netAmount": net,
        "grossAmount": gross,
        "vatAmount": round(gross - net, 2),
        "netAmountInBaseCurrency": base(net),
        "grossAmountInBaseCurrency": base(gross),
        "roundingAmount": 0.0,
        "remainder": remainder,
        "remainderInBaseCurrency": base(remainder),
        "paymentTerms": {"paymentTermsNumber": 1, "daysOfCredit": 14, "paymentTermsType": "net"},
        "customer": {"customerNumber": buyer},
        "recipient": {"name": f"Buyer {buyer}", "vatZone": {"vatZoneNumber": 1}},
        "lines": [
            {"description": "Stol", "quantity": 1.0, "totalNetAmount": net, "product": {"productNumber": f"P{number}"}}
        ],
        **more,
    }
    return document if due is None else {**document, "dueDate": due}


@dataclass(frozen=True)
class Agreement:
    """Plain documents as EconomicStore.load takes them."""

    agreement: Document = field(
        default_factory=lambda: {
            "agreementNumber": 42,
            "company": {"name": "Prøvefirma A/S"},
            "application": {"appNumber": 7, "name": "Sync", "appPublicToken": "public"},
            "settings": {"baseCurrency": "DKK"},
        }
    )
    customer_groups: list[Document] = field(
        default_factory=lambda: [{"customerGroupNumber": n, "name": f"Gruppe {n}"} for n in (1, 2)]
    )
    payment_terms: list[Document] = field(
        default_factory=lambda: [
            {"paymentTermsNumber": 1, "name": "Netto 14 dage", "daysOfCredit": 14, "paymentTermsType": "net"}
        ]
    )
    vat_zones: list[Document] = field(
        default_factory=lambda: [{"vatZoneNumber": n, "name": name} for n, name in ((1, "Domestic"), (2, "EU"))]
    )
    employees: list[Document] = field(default_factory=lambda: [{"employeeNumber": 9, "name": "Mette"}])
    accounting_years: list[Document] = field(
        default_factory=lambda: [
            {"year": "2025", "fromDate": "2025-01-01", "toDate": "2025-12-31", "closed": True},
            {"year": "2026/2027", "fromDate": "2026-01-01", "toDate": "2027-06-30"},
        ]
    )
    customers: list[Document] = field(
        default_factory=lambda: [
            customer(
                1, "Ærø Møbler ApS", email="a@aeroe.example b@aeroe.example", corporateIdentificationNumber="10000009"
            ),
            customer(2, "Nordlys A/S", barred=True, address="Vej 1\rBaghuset", lastUpdated="2026-02-01T08:30:00Z"),
            customer(3, "Øst (Import) [DK] 100$*, Ltd.", currency="EUR", customerGroup={"customerGroupNumber": 2}),
            customer(5, "æblehuset", email="", creditLimit=5000.0, lastUpdated="2026-02-20T23:59:59Z"),
        ]
    )
    contacts: list[Document] = field(
        default_factory=lambda: [
            {
                "customerContactNumber": 11,
                "customerNumber": 1,
                "name": "Bo",
                "sortKey": 1,
                "lastUpdated": "2026-01-01T00:00:00Z",
            },
            {
                "customerContactNumber": 12,
                "customerNumber": 1,
                "name": "Åse",
                "email": "aase@aeroe.example",
                "sortKey": 2,
                "lastUpdated": "2026-02-01T00:00:00Z",
            },
            {
                "customerContactNumber": 13,
                "customerNumber": 2,
                "name": "Gone",
                "sortKey": 1,
                "isDeleted": True,
                "lastUpdated": "2026-02-02T00:00:00Z",
            },
        ]
    )
    invoices: list[Document] = field(
        default_factory=lambda: [
            invoice(1, 1, "2025-02-10", "2025-02-24", (100.0, 125.0, 0.0)),
            invoice(
                2,
                1,
                "2026-01-10",
                "2026-01-24",
                (200.0, 250.0, 250.0),
                references={"salesPerson": {"employeeNumber": 9}},
            ),
            invoice(3, 1, "2026-02-20", "2026-03-02", (40.0, 50.0, 50.0)),
            invoice(4, 3, "2026-02-01", "2026-02-15", (10.0, 10.0, 4.0), exchangeRate=746.0, currency="EUR"),
            invoice(5, 2, "2026-02-25", "2026-03-11", (-80.0, -100.0, -100.0)),
            invoice(6, 1, "2026-02-28", None, (8.0, 10.0, 10.0)),
        ]
    )
    prospects: list[Document] = field(default_factory=list)


class Served:
    """An emulator being served and an HTTP session with the right tokens."""

    def __init__(self, app: EconomicApp, url: str) -> None:
        self.app = app
        self.url = url
        self.store: EconomicStore = app.state.store
        self.session = requests.Session()
        self.session.headers.update({**TOKENS, "User-Agent": "tester/1.0 more"})

    def get(self, path: str, **more: Any) -> requests.Response:
        return self.session.get(self.url + path, timeout=10, **more)

    def json(self, path: str, **more: Any) -> Any:
        answer = self.get(path, **more)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def send(self, method: str, path: str, body: Any = None, **more: Any) -> requests.Response:
        return self.session.request(method, self.url + path, json=body, timeout=10, **more)

    def numbers(self, path: str, key: str = "customerNumber") -> list[int]:
        return [each[key] for each in self.json(path)["collection"]]

    def switch(self, **positions: str) -> None:
        for name, value in positions.items():
            self.app.state.switches.set(name, value)


OPTIONS = EconomicOptions(today=lambda: TODAY, now=lambda: NOON)
