"""The shape of a comparison as JSON: what programs may rely on."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from decimal import Decimal

from worker.sync.reconcile_data import SHAPE, report_data
from worker.sync.reconcile_report import (
    Amount,
    Difference,
    Double,
    Missing,
    NotCompared,
    Report,
    Saved,
    Sum,
    Totals,
    Twin,
    Why,
)

MADE = datetime(2026, 11, 25, 4, 0, tzinfo=UTC)
REPORT = Report(
    MADE,
    42,
    {"customers in e-conomic": 3},
    Totals(missing=1, doubles=1, differences=201, twins=1),
    (Missing("invoice", "e-conomic", "7", "2026-01-01"),),
    (Double("customer", "1", (4, 5)),),
    (Difference("customer", "1", 4, "Balance", Decimal("10.50"), None, Saved(MADE, "Anne", column=True), MADE),),
    (Twin(6, "A", "12345678", "1", (4,)),),
    (
        Sum(
            Amount.NET_SALES,
            Decimal(3),
            Decimal("2.5"),
            Decimal(3),
            "2026",
            date(2026, 2, 1),
            (Decimal(3),),
            Decimal(0),
        ),
    ),
    (NotCompared("contact", "", Why.ROLE, "contacts"),),
)


def test_the_shape_is_as_documented():
    assert json.loads(json.dumps(report_data(REPORT))) == {
        "shape": SHAPE,
        "made": "2026-11-25T04:00:00+00:00",
        "agreement": 42,
        "agrees": False,
        "totals": {"missing": 1, "doubles": 1, "differences": 201, "twins": 1},
        "counts": {"customers in e-conomic": 3},
        "sums": [
            {
                "name": "Net sales 2026 from 2026-02-01",
                "what": "Net sales",
                "year": "2026",
                "since": "2026-02-01",
                "economic": "3",
                "crm": "2.5",
                "own": "3",
                "outside": "0",
                "agrees": False,
            }
        ],
        "missing": [{"kind": "invoice", "onlyIn": "e-conomic", "key": "7", "name": "2026-01-01", "item": None}],
        "doubles": [{"kind": "customer", "key": "1", "items": [4, 5]}],
        "differences": [
            {
                "kind": "customer",
                "key": "1",
                "item": 4,
                "column": "Balance",
                "economic": "10.5",
                "crm": None,
                "updated": "2026-11-25T04:00:00+00:00",
                "saved": {"moment": "2026-11-25T04:00:00+00:00", "by": "Anne", "what": "column"},
            }
        ],
        "twins": [{"item": 6, "name": "A", "cvr": "12345678", "customer": "1", "linked": [4]}],
        "notCompared": [{"kind": "contact", "column": "", "why": "role", "detail": "contacts"}],
    }


def test_what_is_more_than_a_report_names_still_differs():
    assert not Report(MADE, 42, {}, Totals(differences=1)).agrees
    assert Report(MADE, 42, {}, Totals(twins=1)).agrees


def test_a_total_of_e_conomics_must_be_what_its_invoices_come_to():
    owed, less = Decimal(100), Decimal(90)
    assert Sum(Amount.BALANCE, owed, owed, less, counted=(less,)).agrees
    assert not Sum(Amount.BALANCE, owed, owed, less, counted=(owed,)).agrees
    assert not Sum(Amount.BALANCE, owed, less, less, counted=(less,)).agrees
    assert Sum(Amount.BALANCE, owed, owed).agrees
