"""Changes of data through either API, with what follows from them: versions, times, webhooks, balances."""

from collections.abc import Mapping, Sequence
from typing import Any

from worker.emulators.economic.context import Context
from worker.emulators.economic.documents import Plain, plain
from worker.emulators.economic.export import dataset_of

_NEXT_FREE = """
    SELECT MIN(candidate) FROM (
        SELECT 1 AS candidate UNION ALL SELECT number + 1 FROM customers
    ) WHERE candidate NOT IN (SELECT number FROM customers)
"""


def free_customer_number(ctx: Context) -> int:
    """The number of a customer created without one: numbers of deleted customers come back."""
    if ctx.switches.get("customer_number_assignment") == "next_free":
        return int(ctx.store.value(_NEXT_FREE))
    return int(ctx.store.value("SELECT COALESCE(MAX(number), 0) + 1 FROM customers"))


def put_customer(ctx: Context, wanted: Plain) -> bool:
    """Create or replace a customer; tells whether it was there before."""
    number = wanted["customerNumber"]
    was_there = ctx.store.first("SELECT 1 FROM customers WHERE number = ?", (number,)) is not None
    # Seen on answers to writes only: the flag is explicit there.
    document = {"eInvoicingDisabledByDefault": False, **wanted, "lastUpdated": ctx.now_text()}
    ctx.store.put_customers([document])
    if not was_there:
        ctx.store.update_balances([number])
    ctx.webhooks.customer_changed(number if was_there else None, number)
    return was_there


def is_customer_used(ctx: Context, number: int) -> bool:
    """Whether a draft or booked invoice refers to the customer."""
    sql = "SELECT 1 FROM invoices WHERE customer = ? UNION ALL SELECT 1 FROM drafts WHERE customer = ?"
    return ctx.store.first(sql, (number, number)) is not None


def delete_customer(ctx: Context, number: int) -> None:
    """Delete a customer; its contacts are marked deleted, or kept where the switch says so."""
    with ctx.store.transaction() as db:
        db.execute("DELETE FROM customers WHERE number = ?", (number,))
        if ctx.switches.get("contacts_of_deleted_customer") == "deleted":
            sql = "UPDATE contacts SET deleted = 1, version = version + 1, last_updated = ? WHERE customer = ?"
            db.execute(sql, (ctx.now_text(), number))
    ctx.webhooks.customer_changed(number, None)


def renumber_customer(ctx: Context, old: int, new: int) -> None:
    """Give a customer another number, as its own web pages do: contacts and invoices follow, and one webhook names
    both numbers (sharp edges: a list shows one customer less and another one more). LookupError, ValueError."""
    row = ctx.store.first("SELECT doc FROM customers WHERE number = ?", (old,))
    if row is None:
        raise LookupError(f"there is no customer {old}")
    if ctx.store.first("SELECT 1 FROM customers WHERE number = ?", (new,)) is not None:
        raise ValueError(f"the number {new} is taken")
    data = dataset_of(ctx.store, ctx.today())
    customer = next(each for each in data.customers if each["customerNumber"] == old)
    ctx.store.put_customers([{**customer, "customerNumber": new, "lastUpdated": ctx.now_text()}])
    with ctx.store.transaction() as db:
        db.execute("DELETE FROM customers WHERE number = ?", (old,))
        # Contacts keep their own number and place; only whose they are changes.
        moved = "UPDATE contacts SET customer = ?, version = version + 1, last_updated = ? WHERE customer = ?"
        db.execute(moved, (new, ctx.now_text(), old))
    theirs = [each for each in data.invoices if each["customer"]["customerNumber"] == old]
    ctx.store.put_booked([{**each, "customer": {**each["customer"], "customerNumber": new}} for each in theirs])
    ctx.store.update_balances([new])
    ctx.webhooks.customer_changed(old, new)


def put_contact(ctx: Context, wanted: Mapping[str, Any]) -> int:
    """Create or replace a contact from flat fields (data set names); gives a new one its numbers. The number."""
    number = wanted.get("customerContactNumber")
    if number is None:
        number = int(ctx.store.value("SELECT COALESCE(MAX(number), 0) + 1 FROM contacts"))
    found = ctx.store.first("SELECT sort_key FROM contacts WHERE number = ?", (number,))
    sort_key = found["sort_key"] if found is not None else _next_sort_key(ctx, wanted["customerNumber"])
    document = {**wanted, "customerContactNumber": number, "sortKey": sort_key, "lastUpdated": ctx.now_text()}
    ctx.store.put_contacts([document])
    return int(number)


def _next_sort_key(ctx: Context, customer: int) -> int:
    sql = "SELECT COALESCE(MAX(sort_key), 0) + 1 FROM contacts WHERE customer = ?"
    return int(ctx.store.value(sql, (customer,)))


def delete_contact(ctx: Context, number: int) -> None:
    """Mark a contact deleted: it stays, because old invoices may name it."""
    with ctx.store.transaction() as db:
        sql = "UPDATE contacts SET deleted = 1, version = version + 1, last_updated = ? WHERE number = ?"
        db.execute(sql, (ctx.now_text(), number))


def put_invoices(ctx: Context, documents: Sequence[Plain]) -> None:
    """Insert or replace booked invoices (a booking, or a payment that moved the remainder)."""
    numbers = sorted({each["bookedInvoiceNumber"] for each in documents})
    new = [each for each in numbers if ctx.store.first("SELECT 1 FROM invoices WHERE number = ?", (each,)) is None]
    ctx.store.put_booked([plain(each) for each in documents])
    customers = {each["customer"]["customerNumber"] for each in documents}
    if ctx.is_on("last_updated_bumped_by_booking"):
        _bump(ctx, customers)
    for number in new:
        ctx.webhooks.invoice_booked(number)
    if ctx.is_on("webhook_on_balance_change"):
        for customer in sorted(customers):
            ctx.webhooks.customer_changed(customer, customer)


def _bump(ctx: Context, customers: set[int]) -> None:
    """Move lastUpdated of customers: the column, and the rendered text."""
    now = ctx.now_text()
    with ctx.store.transaction() as db:
        db.executemany(
            "UPDATE customers SET doc = replace(doc, '\"lastUpdated\":\"' || last_updated || '\"', ?), "
            "last_updated = ? WHERE number = ?",
            [(f'"lastUpdated":"{now}"', now, customer) for customer in customers],
        )
