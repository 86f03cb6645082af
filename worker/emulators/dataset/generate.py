"""Joins the parts of a data set; the only place that knows their order."""

from datetime import date

from worker.emulators.dataset import reference_data as ref
from worker.emulators.dataset.buyers import draw_buyers
from worker.emulators.dataset.contacts import build_contacts, point_to_contacts
from worker.emulators.dataset.customers import build_customers
from worker.emulators.dataset.invoices import Books, InvoiceSeriesFromPlan
from worker.emulators.dataset.model import Dataset, Document, counts_of
from worker.emulators.dataset.plan import build_plan
from worker.emulators.dataset.pools import Pools, draw_pools
from worker.emulators.dataset.prospects import build_prospects
from worker.emulators.dataset.roster import draw_roster


def generate(size: str, seed: int, today: date, *, financial_year_start_month: int = 1) -> Dataset:
    """A data set of the given size as of the morning of `today`.

    Equal arguments give equal sets in every process. Invoices reach back to the start of the oldest
    accounting year, three to four years. Raises ValueError for an unknown size or month.
    """
    counts = counts_of(size)
    pools = draw_pools(seed)
    years = ref.accounting_years(today, financial_year_start_month)
    roster = draw_roster(counts.customers, seed)
    customers = build_customers(roster, seed, today, pools)
    contacts = build_contacts(customers, counts.contacts, roster, seed, today, pools) if customers else []
    point_to_contacts(customers, contacts, seed)
    return Dataset(
        agreement=ref.agreement(),
        customer_groups=ref.customer_groups(),
        payment_terms=ref.payment_terms(),
        vat_zones=ref.vat_zones(),
        employees=ref.employees(),
        accounting_years=years,
        customers=customers,
        contacts=contacts,
        invoices=_invoices(customers, counts.invoices, seed, (date.fromisoformat(years[0]["fromDate"]), today), pools),
        prospects=build_prospects(customers, seed, pools),
        today=today,
    )


def _invoices(
    customers: list[Document], count: int, seed: int, span: tuple[date, date], pools: Pools
) -> InvoiceSeriesFromPlan:
    first, today = span
    buyers = draw_buyers(customers, seed, first, today, pools)
    plan = build_plan(buyers, count, seed, first, today)
    books = Books.of(ref.payment_terms(), ref.vat_zones())
    return InvoiceSeriesFromPlan(plan, customers, buyers, books, seed, span)
