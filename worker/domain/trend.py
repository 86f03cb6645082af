"""The sales trend of a customer, in one word."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Protocol

from worker.domain.financial_year import add_months

TRENDS = ("New", "Growing", "Stable", "Declining", "Lapsed", "No sales")


@dataclass(frozen=True, slots=True)
class TrendRules:
    """Thresholds, from settings: per cent against the twelve months before, and months."""

    growing_pct: Decimal = Decimal(10)
    declining_pct: Decimal = Decimal(-10)
    lapsed_months: int = 12
    new_months: int = 12


DEFAULT_RULES = TrendRules()


class SalesFigures(Protocol):
    """What the rule looks at."""

    @property
    def first_invoice_date(self) -> date | None: ...
    @property
    def last_invoice_date(self) -> date | None: ...
    @property
    def sales_last_12_months(self) -> Decimal: ...
    @property
    def sales_previous_12_months(self) -> Decimal: ...


def sales_trend(figures: SalesFigures, today: date, rules: TrendRules = DEFAULT_RULES) -> str:
    """In this order: No sales - never an invoice. Lapsed - none for `lapsed_months`. New - the first one within
    `new_months`. Growing / Declining - the last twelve months against the twelve before, at or past the threshold.
    Stable - everything else. After twelve months without net sales, any sale is Growing.
    """
    if figures.first_invoice_date is None or figures.last_invoice_date is None:
        return "No sales"
    if figures.last_invoice_date <= add_months(today, -rules.lapsed_months):
        return "Lapsed"
    if figures.first_invoice_date > add_months(today, -rules.new_months):
        return "New"
    now, before = figures.sales_last_12_months, figures.sales_previous_12_months
    if before <= 0:
        return "Growing" if now > 0 else "Stable"
    change = 100 * (now - before) / before
    if change >= rules.growing_pct:
        return "Growing"
    return "Declining" if change <= rules.declining_pct else "Stable"
