"""Booked invoices: a document from an order, its lines and sums, its payment, and the series over a plan."""

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random

from worker.emulators.dataset import reference_data as ref
from worker.emulators.dataset.buyers import Buyer, Payer, slope
from worker.emulators.dataset.chance import stream
from worker.emulators.dataset.goods import BY_TIME, PRICES, PRODUCTS, UNITS, rate_micro
from worker.emulators.dataset.model import Document
from worker.emulators.dataset.money import RATE_SCALE, amount, cents_of, from_base, half_up, to_base
from worker.emulators.dataset.plan import Fate, Plan, position

FIRST_NUMBER = 10_001
LINE_COUNTS = (1, 1, 1, 1, 1, 2, 2, 2, 3, 4)
COPIED = {"zip": "zip", "city": "city", "country": "country", "ean": "ean", "corporateIdentificationNumber": "cvr"}
LONGEST_RECIPIENT = 250  # name and address of the copy are shorter than the customer's own
NO_DUE_DATE_GRACE = 14
OLD_DEBT_DAYS = 400


@dataclass(frozen=True)
class Order:
    """What is to be invoiced: `net` is the aim in base-currency cents, negative for a credit note."""

    number: int
    day: date
    net: int


@dataclass(frozen=True)
class Books:
    """The agreement's terms and zones by number."""

    terms: dict[int, Document]
    zones: dict[int, Document]

    @classmethod
    def of(cls, terms: list[Document], zones: list[Document]) -> "Books":
        return cls({t["paymentTermsNumber"]: t for t in terms}, {z["vatZoneNumber"]: z for z in zones})


def write_invoice(order: Order, customer: Document, books: Books, rng: Random) -> Document:
    """A whole unpaid invoice; its recipient is a copy of `customer` as given."""
    terms = books.terms[customer["paymentTerms"]["paymentTermsNumber"]]
    zone = books.zones[customer["vatZone"]["vatZoneNumber"]]
    rate = rate_micro(customer["currency"], order.day)
    lines = _lines(rng, order.net, rate, vat_rate=25 if zone["vatZoneNumber"] == ref.DOMESTIC else 0)
    row: Document = {"bookedInvoiceNumber": order.number, "date": order.day.isoformat()}
    due = _due_date(rng, terms, order.day)
    if due is not None:
        row["dueDate"] = due.isoformat()
    row |= {"currency": customer["currency"], "exchangeRate": rate / RATE_SCALE} | _sums(lines, rate)
    row |= {"paymentTerms": dict(terms), "customer": {"customerNumber": customer["customerNumber"]}}
    row["recipient"] = _recipient(customer, zone)
    references = _references(rng, customer)
    if references:
        row["references"] = references
    return row | {"lines": lines}


def settle(invoice: Document, open_cents: int) -> Document:
    """A copy of the invoice of which `open_cents` (in its own currency, same sign) are still unpaid."""
    base = to_base(open_cents, round(invoice["exchangeRate"] * RATE_SCALE))
    return invoice | {"remainder": amount(open_cents), "remainderInBaseCurrency": amount(base)}


def _due_date(rng: Random, terms: Document, day: date) -> date | None:
    """By the terms; under "dueDate" terms a person typed one on every other invoice."""
    if terms["paymentTermsType"] == "dueDate" and rng.random() < 0.5:
        return day + timedelta(days=rng.choice((10, 20, 45)))
    return ref.due_date(terms, day)


def _lines(rng: Random, net: int, rate: int, *, vat_rate: int) -> list[Document]:
    count = rng.choice(LINE_COUNTS)
    return [_line(rng, place, net // count, rate, vat_rate) for place in range(1, count + 1)]


def _line(rng: Random, place: int, net: int, rate: int, vat_rate: int) -> Document:
    """A product cheap enough for the aim, in the quantity that comes nearest to it."""
    affordable = max(1, bisect_right(PRICES, abs(net)))
    product = PRODUCTS[rng.randrange(affordable)]
    grain = 1 if product.unit == BY_TIME else 4
    quarters = max(grain, round(abs(net) * 4 / product.price / grain) * grain) * (1 if net >= 0 else -1)
    price = from_base(product.price, rate)
    discount = 10 if rng.random() < 0.1 else 0
    total = half_up(quarters * price * (100 - discount), 400)
    return {
        "lineNumber": place,
        "sortKey": place,
        "description": product.description,
        "quantity": quarters / 4,
        "unitNetPrice": amount(price),
        "discountPercentage": float(discount),
        "vatRate": float(vat_rate),
        "vatAmount": amount(half_up(total * vat_rate, 100)),
        "totalNetAmount": amount(total),
        "unit": {"unitNumber": product.unit, "name": UNITS[product.unit]},
        "product": {"productNumber": product.number},
    }


def _sums(lines: list[Document], rate: int) -> Document:
    """Totals of the lines. `roundingAmount` is the cent that conversion leaves between net, VAT and gross."""
    net = sum(cents_of(line["totalNetAmount"]) for line in lines)
    vat = sum(cents_of(line["vatAmount"]) for line in lines)
    net_base, gross_base = to_base(net, rate), to_base(net + vat, rate)
    return {
        "netAmount": amount(net),
        "netAmountInBaseCurrency": amount(net_base),
        "grossAmount": amount(net + vat),
        "grossAmountInBaseCurrency": amount(gross_base),
        "vatAmount": amount(vat),
        "roundingAmount": amount(gross_base - net_base - to_base(vat, rate)),
        "remainder": amount(net + vat),
        "remainderInBaseCurrency": amount(gross_base),
    }


def _recipient(customer: Document, zone: Document) -> Document:
    row: Document = {"name": customer["name"][:LONGEST_RECIPIENT]}
    if "address" in customer:
        row["address"] = customer["address"][:LONGEST_RECIPIENT]
    row |= {theirs: customer[ours] for ours, theirs in COPIED.items() if ours in customer}
    return row | {"vatZone": dict(zone)}


def _references(rng: Random, customer: Document) -> Document:
    row: Document = {}
    if "salesPerson" in customer:
        row["salesPerson"] = dict(customer["salesPerson"])
    if rng.random() < 0.2:
        row["other"] = rng.choice(("PO-{}", "Rekv. {}", "Deres ref.: {} / lager", "{}")).format(
            rng.randrange(1000, 99999)
        )
    return row


class InvoiceSeriesFromPlan:
    """Invoices 10001, 10002, ... made from the plan at each pass; two passes give equal documents."""

    def __init__(
        self,
        plan: Plan,
        customers: list[Document],
        buyers: list[Buyer],
        books: Books,
        seed: int,
        span: tuple[date, date],
    ) -> None:
        self._plan, self._customers, self._buyers, self._books, self._seed = plan, customers, buyers, books, seed
        self._first, self._today = span

    def __len__(self) -> int:
        return len(self._plan)

    def __iter__(self) -> Iterator[Document]:
        return (self._invoice(i) for i in range(len(self)))

    def __reversed__(self) -> Iterator[Document]:
        return (self._invoice(i) for i in reversed(range(len(self))))

    def _invoice(self, i: int) -> Document:
        entry = self._plan.entry(i)
        rng = stream(self._seed, "invoice", FIRST_NUMBER + i)
        buyer, customer = self._buyers[entry.customer], self._customers[entry.customer]
        day = entry.booked - timedelta(days=entry.backdated)
        if buyer.former is not None and day < buyer.moved:
            customer = customer | buyer.former
        net = self._aim(rng, buyer, day, credit=entry.fate >= Fate.CREDIT_SETTLED)
        invoice = write_invoice(Order(FIRST_NUMBER + i, day, net), customer, self._books, rng)
        return settle(invoice, open_cents(rng, invoice, entry.fate, buyer.payer, self._today))

    def _aim(self, rng: Random, buyer: Buyer, day: date, *, credit: bool) -> int:
        trend = slope(buyer.habit, position(day, self._first, self._today))
        net = round(buyer.level * trend * (0.6 + 0.8 * rng.random()))
        return -round(net * (0.1 + 0.5 * rng.random())) if credit else net


def open_cents(rng: Random, invoice: Document, fate: Fate, payer: Payer, today: date) -> int:
    """What is still open on the morning of `today`, with the sign of the invoice."""
    gross = cents_of(invoice["grossAmount"])
    part = max(1, abs(gross) * rng.randrange(15, 85) // 100) * (1 if gross >= 0 else -1)
    if fate is Fate.PART:
        return part
    if fate in (Fate.OPEN, Fate.CREDIT_OPEN):
        return gross
    if fate is Fate.CREDIT_SETTLED or _paid_day(rng, invoice, payer, today) < today:
        return 0
    return part if rng.random() < 0.12 else gross


def _paid_day(rng: Random, invoice: Document, payer: Payer, today: date) -> date:
    """When the money comes in; a bad payer leaves one recent invoice in four unpaid."""
    day = date.fromisoformat(invoice["date"])
    if invoice["paymentTerms"]["paymentTermsType"] == "prepaid":
        return min(day, today - timedelta(days=1))
    due = date.fromisoformat(invoice["dueDate"]) if "dueDate" in invoice else day + timedelta(days=NO_DUE_DATE_GRACE)
    if payer == "bad" and rng.random() < 0.25 and (today - day).days < OLD_DEBT_DAYS:
        return date.max
    low, high = {"prompt": (-6, 4), "slow": (3, 50), "bad": (20, 140)}[payer]
    return max(day, due + timedelta(days=rng.randrange(low, high)))
