"""One small agreement twice: as records in a fake, and as documents in the e-conomic emulator behind real HTTP."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Protocol

from tests.fakes.fake_source import AGREEMENT, FakeSource
from worker.domain.records import AccountingYear, Customer, CustomerContact, Invoice
from worker.economic.client import EconomicClient
from worker.economic.source import EconomicSource
from worker.emulators.common.server import EmulatorServer
from worker.emulators.economic.app import create_app
from worker.emulators.economic.options import EconomicOptions
from worker.emulators.economic.store import EconomicStore
from worker.ports import ComparedSource
from worker.transport import Http, RetryPolicy, Waits, origin

TODAY = date(2026, 3, 2)
CHANGED = datetime(2026, 1, 15, 10, 0, tzinfo=UTC)
APP_SECRET, GRANT = "planted-app-secret-1", "planted-grant-token-2"
BULK_CUSTOMERS, BULK_CONTACTS, BULK_INVOICES = 1003, 1004, 2102
_ZERO = Decimal("0.00")

YEARS = (
    AccountingYear("2025", date(2025, 1, 1), date(2025, 12, 31), closed=True, path_name="2025"),
    AccountingYear("2026/2027", date(2026, 1, 1), date(2027, 6, 30), path_name="2026_6_2027"),
)


def customer(number: int, name: str, **more: Any) -> Customer:
    """A customer with the names of group, terms and zone as every customer here has them."""
    joined: dict[str, Any] = {
        "group_number": 1,
        "group_name": "Gruppe 1",
        "payment_terms_number": 1,
        "payment_terms_name": "Netto 14 dage",
        "vat_zone_number": 1,
        "vat_zone_name": "Domestic",
        "last_updated": CHANGED,
    }
    return Customer(number, name, **{"currency": "DKK", "balance": _ZERO, "due_amount": _ZERO, **joined, **more})


def invoice(
    number: int, buyer: int, day: date, due: date | None, amounts: tuple[str, str, str], **more: Any
) -> Invoice:
    """`amounts` are net, gross and remainder in the invoice's currency; the rate is base currency per 100."""
    net, gross, remainder = map(Decimal, amounts)
    rate = more.get("exchange_rate", Decimal(100))

    def base(value: Decimal) -> Decimal:
        return (value * rate / 100).quantize(Decimal("0.01"))

    return Invoice(
        **{
            "number": number,
            "customer_number": buyer,
            "invoice_date": day,
            "currency": "DKK",
            "net": net,
            "vat": gross - net,
            "gross": gross,
            "net_base": base(net),
            "remainder": remainder,
            "remainder_base": base(remainder),
            "due_date": due,
            "gross_base": base(gross),
            "exchange_rate": rate,
            "recipient_name": f"Buyer {buyer}",
            **more,
        }
    )


CUSTOMERS = (
    customer(
        1,
        "Ærø Møbler ApS",
        balance=Decimal("310.00"),
        due_amount=Decimal("250.00"),
        email="a@aeroe.example b@aeroe.example",
        cvr="10000009",
        salesperson_number=9,
        salesperson_name="Mette",
    ),
    customer(2, "Nordlys A/S", balance=Decimal("-100.00"), barred=True, address="Vej 1\rBaghuset", zip="9000"),
    customer(3, 'Øst "Import" & Co', currency="EUR", balance=Decimal("29.84"), due_amount=Decimal("29.84")),
    customer(5, "æblehuset", credit_limit=Decimal("5000.00"), country="Danmark"),
)
CONTACTS = (
    CustomerContact(11, 1, "Bo", visible_number=1, last_updated=CHANGED),
    CustomerContact(12, 1, "Åse", email="aase@aeroe.example", phone="62 52", visible_number=2, last_updated=CHANGED),
    CustomerContact(13, 2, "Gone", visible_number=1, last_updated=CHANGED, deleted=True),
)
INVOICES = (
    invoice(1, 1, date(2025, 2, 10), date(2025, 2, 24), ("100.00", "125.00", "0.00")),
    invoice(2, 1, date(2026, 1, 10), date(2026, 1, 24), ("200.00", "250.00", "250.00"), reference="Ordre 7"),
    invoice(3, 1, date(2026, 2, 20), TODAY, ("40.00", "50.00", "50.00")),
    invoice(
        4,
        3,
        date(2026, 2, 1),
        date(2026, 2, 15),
        ("10.00", "10.00", "4.00"),
        exchange_rate=Decimal("746.02"),
        currency="EUR",
    ),
    invoice(5, 2, date(2026, 2, 25), date(2026, 3, 11), ("-80.00", "-100.00", "-100.00")),
    invoice(6, 1, date(2026, 2, 28), None, ("8.00", "10.00", "10.00")),
)


@dataclass(frozen=True)
class Records:
    """What an agreement holds."""

    customers: tuple[Customer, ...] = CUSTOMERS
    contacts: tuple[CustomerContact, ...] = CONTACTS
    invoices: tuple[Invoice, ...] = INVOICES


def many() -> Records:
    """More than one page of everything: settled invoices of numbered customers, each with one contact or none."""
    day = date(2026, 1, 2)
    return Records(
        tuple(customer(number, f"Kunde {number}") for number in range(1, BULK_CUSTOMERS + 1)),
        tuple(
            CustomerContact(number, 1, f"Kontakt {number}", visible_number=number, last_updated=CHANGED)
            for number in range(1, BULK_CONTACTS + 1)
        ),
        tuple(
            invoice(number, 1 + number % BULK_CUSTOMERS, day, day, ("1.25", "1.56", "0.00"))
            for number in range(1, BULK_INVOICES + 1)
        ),
    )


class SourceWorld(Protocol):
    """A source and the hands to change what it reads from."""

    @property
    def source(self) -> ComparedSource: ...

    def put_customers(self, *rows: Customer) -> None: ...

    def put_invoices(self, *rows: Invoice) -> None: ...

    def remove_contact(self, number: int) -> None: ...


class FakeWorld:
    """The fake's lists."""

    def __init__(self, records: Records) -> None:
        self.source = FakeSource(
            AGREEMENT, YEARS[::-1], records.customers[::-1], records.contacts, records.invoices, TODAY
        )

    def put_customers(self, *rows: Customer) -> None:
        self.source.customer_records = _replaced(self.source.customer_records, rows)

    def put_invoices(self, *rows: Invoice) -> None:
        self.source.invoice_records = _replaced(self.source.invoice_records, rows)

    def remove_contact(self, number: int) -> None:
        found = self.source.contact_records
        self.source.contact_records = [replace(row, deleted=row.deleted or row.number == number) for row in found]


class EmulatorWorld:
    """The emulator behind HTTP, and the real adapter in front of it. Waiting is counted, not done.

    `data`: an agreement of generated documents instead of records."""

    def __init__(self, records: Records, *, data: Any = None, **options: Any) -> None:
        self.store = EconomicStore()
        self.store.load(data or Documents(records))
        self.app = create_app(
            self.store,
            options=EconomicOptions(app_secret=APP_SECRET, grant_token=GRANT, today=lambda: TODAY, **options),
        )
        self.server = EmulatorServer(self.app)
        self.slept: list[float] = []
        self._open = ExitStack()

    def __enter__(self) -> EmulatorWorld:
        self._open.callback(self.store.close)
        self._open.enter_context(self.server)
        self.source = self.connect()
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def connect(
        self,
        *,
        grant: str = GRANT,
        parallel: int = 4,
        policy: RetryPolicy | None = None,
        version: str = "v3.1.0",
        sleep: Callable[[float], None] | None = None,
    ) -> EconomicSource:
        """Another adapter towards the same emulator; `sleep` stands for the passing of time."""
        http = Http(
            "e-conomic",
            frozenset({origin(self.server.url)}),
            {"X-AppSecretToken": APP_SECRET, "X-AgreementGrantToken": grant},
            policy=policy or RetryPolicy(),
            waits=Waits(sleep=sleep or self.slept.append),
        )
        client = EconomicClient(self.server.url, self.server.url, http, contacts_version=version, parallel=parallel)
        source = EconomicSource(client)
        self._open.callback(source.close)
        return source

    def fault(self, name: str, count: int = 1) -> None:
        """The next `count` chances of a fault hit."""
        self.app.state.faults.once(name, count)

    def switch(self, **positions: str) -> None:
        """Positions of what is unconfirmed."""
        for name, value in positions.items():
            self.app.state.switches.set(name, value)

    @property
    def metered(self) -> Mapping[str, Any]:
        """The emulator's own count."""
        total: Mapping[str, Any] = self.app.state.meter.snapshot()["total"]
        return total

    def put_customers(self, *rows: Customer) -> None:
        self.store.put_customers(map(_customer, rows))
        self.store.update_balances([row.number for row in rows])

    def put_invoices(self, *rows: Invoice) -> None:
        self.store.put_booked(map(_invoice, rows))

    def remove_contact(self, number: int) -> None:
        with self.store.transaction() as db:
            db.execute("UPDATE contacts SET deleted = 1 WHERE number = ?", (number,))

    def add_contact(self, number: int) -> None:
        self.store.put_contacts([_contact(CustomerContact(number, 1, "Ny", visible_number=9, last_updated=CHANGED))])

    def delete_customer(self, number: int) -> None:
        """Gone without a trace, as a person may do with an unused customer."""
        with self.store.transaction() as db:
            db.execute("DELETE FROM customers WHERE number = ?", (number,))


@dataclass
class Documents:
    """Records as the emulator loads them."""

    records: Records
    agreement: dict[str, Any] = field(
        default_factory=lambda: {
            "agreementNumber": AGREEMENT.number,
            "userName": AGREEMENT.user_name,
            "company": {"name": AGREEMENT.company_name, "companyIdentificationNumber": AGREEMENT.company_cvr},
            "application": {"name": AGREEMENT.app_name, "requiredRoles": [{"roleNumber": 2, "name": "SuperUser"}]},
            "settings": {"baseCurrency": AGREEMENT.base_currency},
        }
    )
    customer_groups: tuple[dict[str, Any], ...] = ({"customerGroupNumber": 1, "name": "Gruppe 1"},)
    payment_terms: tuple[dict[str, Any], ...] = (
        {"paymentTermsNumber": 1, "name": "Netto 14 dage", "daysOfCredit": 14, "paymentTermsType": "net"},
    )
    vat_zones: tuple[dict[str, Any], ...] = ({"vatZoneNumber": 1, "name": "Domestic"},)
    employees: tuple[dict[str, Any], ...] = ({"employeeNumber": 9, "name": "Mette"},)
    prospects: tuple[dict[str, Any], ...] = ()

    @property
    def accounting_years(self) -> list[dict[str, Any]]:
        return [
            {"year": year.name, "fromDate": f"{year.first_day}", "toDate": f"{year.last_day}", "closed": year.closed}
            for year in YEARS
        ]

    @property
    def customers(self) -> list[dict[str, Any]]:
        return [_customer(row) for row in self.records.customers]

    @property
    def contacts(self) -> list[dict[str, Any]]:
        return [_contact(row) for row in self.records.contacts]

    @property
    def invoices(self) -> list[dict[str, Any]]:
        return [_invoice(row) for row in self.records.invoices]


def pages(rows: int, size: int = 1000) -> int:
    """Requests a list of so many rows may cost."""
    return max(1, math.ceil(rows / size))


def _replaced(before: Iterable[Any], rows: Iterable[Any]) -> list[Any]:
    return list(({row.number: row for row in before} | {row.number: row for row in rows}).values())


def _customer(row: Customer) -> dict[str, Any]:
    return _filled(
        customerNumber=row.number,
        name=row.name,
        currency=row.currency,
        customerGroup={"customerGroupNumber": row.group_number},
        paymentTerms={"paymentTermsNumber": row.payment_terms_number},
        vatZone={"vatZoneNumber": row.vat_zone_number},
        salesPerson={"employeeNumber": row.salesperson_number} if row.salesperson_number else None,
        barred=row.barred or None,
        address=row.address,
        zip=row.zip,
        country=row.country,
        email=row.email,
        corporateIdentificationNumber=row.cvr,
        creditLimit=None if row.credit_limit is None else float(row.credit_limit),
        city="",  # e-conomic sends some empty texts as such
        lastUpdated=_moment(row.last_updated),
    )


def _contact(row: CustomerContact) -> dict[str, Any]:
    return _filled(
        customerContactNumber=row.number,
        customerNumber=row.customer_number,
        name=row.name,
        email=row.email,
        phone=row.phone,
        sortKey=row.visible_number,
        isDeleted=row.deleted or None,
        lastUpdated=_moment(row.last_updated),
    )


def _invoice(row: Invoice) -> dict[str, Any]:
    return _filled(
        bookedInvoiceNumber=row.number,
        date=row.invoice_date.isoformat(),
        dueDate=row.due_date.isoformat() if row.due_date else None,
        currency=row.currency,
        exchangeRate=float(row.exchange_rate or 100),
        netAmount=float(row.net),
        grossAmount=float(row.gross),
        vatAmount=float(row.vat),
        netAmountInBaseCurrency=float(row.net_base),
        grossAmountInBaseCurrency=float(row.gross_base or 0),
        roundingAmount=0.0,
        remainder=float(row.remainder),
        remainderInBaseCurrency=float(row.remainder_base),
        paymentTerms={"paymentTermsNumber": 1, "daysOfCredit": 14, "paymentTermsType": "net"},
        customer={"customerNumber": row.customer_number},
        recipient={"name": row.recipient_name, "vatZone": {"vatZoneNumber": 1}},
        references={"other": row.reference} if row.reference else None,
        lines=[],
    )


def _filled(**fields: Any) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}


def _moment(moment: datetime | None) -> str | None:
    return None if moment is None else moment.strftime("%Y-%m-%dT%H:%M:%SZ")
