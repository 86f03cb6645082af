"""What is worth telling an account manager."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest

from worker.domain.signals import Billed, Facts, Signal, big_orders, by_manager, changes

DAY = date(2026, 11, 25)
EARLIER = DAY - timedelta(days=3)


def facts(overdue: int = 0, trend: str = "Stable", manager: str = "Anne", late: bool = False) -> Facts:
    return Facts("Acme", manager, Decimal(overdue), trend, late, DAY)


@pytest.mark.parametrize(
    ("before", "now", "kinds"),
    [
        (facts(), facts(), []),
        (facts(), facts(100), [Signal.OVERDUE]),
        (facts(100), facts(200), []),
        (facts(100), facts(), [Signal.PAID]),
        (facts(), facts(late=True), [Signal.SLIPPING]),
        (facts(late=True), facts(late=True), []),
        (facts(late=True), facts(), []),
        (facts(trend="Declining"), facts(trend="Lapsed", late=True), [Signal.LAPSED]),
        (facts(trend="Lapsed"), facts(trend="Lapsed"), []),
        (facts(trend="Lapsed"), facts(trend="Growing"), [Signal.BACK]),
        (facts(trend="Lapsed"), facts(trend=""), []),
        (facts(100, "Lapsed"), facts(0, "Growing"), [Signal.PAID, Signal.BACK]),
    ],
)
def test_what_changed_is_news_once(before, now, kinds):
    assert [one.kind for one in changes({"1": before}, {"1": now})] == kinds


def test_a_new_company_has_no_news():
    assert not list(changes({}, {"1": facts(100)}))


def bill(number: int, net: int, customer: str = "1", day: date = DAY) -> Billed:
    return Billed(str(number), customer, day, Decimal(net))


def orders(*invoices: Billed, seen: frozenset[str] = frozenset(), known: str = "1") -> list[Decimal | None]:
    """Amounts of big orders; customers 1 and 2 are there now, `known` were the last time, told on DAY."""
    before, now = {known: facts()}, {"1": facts(), "2": facts()}
    return [one.amount for one in big_orders(invoices, seen, before, now, Decimal(50_000))]


@pytest.mark.parametrize(
    ("usual", "net", "told"),
    [
        ([], 49_999, False),
        ([], 50_000, True),
        ([100, 100], 400, False),  # two say nothing about what is usual
        ([100, 100, 100], 299, False),
        ([100, 100, 100], 300, True),
        ([90_000] * 3, 60_000, True),  # the threshold holds for everybody
    ],
)
@pytest.mark.parametrize("listed", [True, False], ids=["seen", "older"])
def test_a_big_order_is_big_by_itself_or_for_this_customer(usual, net, told, listed):
    """What is usual is told by invoices that were listed the last time, and by older ones that came later."""
    earlier = [bill(at, amount, day=DAY if listed else EARLIER) for at, amount in enumerate(usual)]
    seen = frozenset(one.number for one in earlier) if listed else frozenset()
    assert orders(*earlier, bill(99, net), seen=seen) == ([Decimal(net)] if told else [])


def test_what_was_told_once_is_not_told_again():
    assert orders(bill(1, 90_000), seen=frozenset({"1"})) == []


def test_an_invoice_from_before_the_last_time_is_no_news_when_it_is_listed_later():
    """The invoices' profile was switched on since; those of the day itself may have come after the last look."""
    assert orders(bill(1, 90_000, day=EARLIER), bill(2, 80_000)) == [Decimal(80_000)]


def test_a_customer_that_was_not_there_the_last_time_has_no_big_order():
    assert orders(bill(1, 90_000, "2"), bill(2, 90_000, "3")) == []


def test_each_manager_gets_the_own_news_largest_first():
    before = {str(n): facts(manager=m) for n, m in ((1, "Anne"), (2, "Bo"), (3, "Anne"))}
    now = {str(n): facts(o, manager=m) for n, o, m in ((1, 10, "Anne"), (2, 20, "Bo"), (3, 30, "Anne"))}
    found = by_manager(changes(before, now))
    assert {name: [one.customer for one in news] for name, news in found.items()} == {"Anne": ["3", "1"], "Bo": ["2"]}
