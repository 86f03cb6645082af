"""The cell Filter: which source rows a profile takes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from worker.domain import profile_words as words
from worker.domain.profile import PeriodType, SourceFilter, SourceKind
from worker.domain.profile_cells import Cells
from worker.domain.profile_json import shown

_COLUMN = "SourceFilter"
_KEYS = ("customerGroups", "includeBarred", "months", "periods")
_LONGEST = 600  # months; e-conomic itself is younger
# Which sources a key means something for; the others mean something everywhere.
_ONLY_FOR = {
    "months": frozenset({SourceKind.INVOICE, SourceKind.SALES}),
    "periods": frozenset({SourceKind.SALES}),
}


def read_filter(cells: Cells, source: SourceKind | None) -> SourceFilter:
    """The filter; a blank cell takes every row. Notes problems in `cells`."""
    data = cells.json(_COLUMN) or {}
    if not isinstance(data, dict):
        cells.problem(_COLUMN, 'must be a JSON object such as {"customerGroups": [1, 2], "includeBarred": false}.')
        return SourceFilter()
    for key in sorted(set(data) - set(_KEYS)):
        cells.problem(_COLUMN, f"'{shown(key)}' is not known.{words.did_you_mean(key, _KEYS)}", _KEYS)
    for key, sources in _ONLY_FOR.items():
        if data.get(key) is not None and source is not None and source not in sources:
            cells.problem(_COLUMN, f"{key} has no meaning for {source.value}.")
    return SourceFilter(
        customer_groups=_groups(cells, data.get("customerGroups")),
        include_barred=_barred(cells, data),
        months=_months(cells, data.get("months")),
        periods=_periods(cells, data.get("periods")),
    )


def filter_data(source_filter: SourceFilter, source: SourceKind) -> dict[str, Any]:
    """The filter as JSON data, without what is the default anyway; the periods of statistics are always named."""
    full = {
        "customerGroups": sorted(source_filter.customer_groups) or None,
        "includeBarred": None if source_filter.include_barred else False,
        "months": source_filter.months,
        "periods": [kind.value for kind in source_filter.periods] if source is SourceKind.SALES else None,
    }
    return {key: value for key, value in full.items() if value is not None}


def _groups(cells: Cells, value: Any) -> frozenset[int]:
    parts = value.split(",") if isinstance(value, str) else value if isinstance(value, list) else [value]
    try:
        return frozenset(int(str(part).strip()) for part in parts if part not in (None, ""))
    except ValueError:
        cells.problem(_COLUMN, "customerGroups must be a list of group numbers such as [1, 2].")
        return frozenset()


def _barred(cells: Cells, data: Mapping[str, Any]) -> bool:
    value = data.get("includeBarred")
    found = True if value is None else words.yes_no(value)
    if found is None:
        cells.problem(_COLUMN, "includeBarred must be true or false.", ("true", "false"))
    return True if found is None else found


def _months(cells: Cells, value: Any) -> int | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= _LONGEST:
        cells.problem(_COLUMN, f"months must be a whole number from 1 to {_LONGEST}, not {shown(value)}.")
        return None
    return value


def _periods(cells: Cells, value: Any) -> tuple[PeriodType, ...]:
    if value is None:
        return SourceFilter().periods
    parts = value if isinstance(value, list) and value else [value]
    found = [words.period_type(part) for part in parts]
    if None in found:
        cells.problem(_COLUMN, "periods must be a list of period types.", tuple(PeriodType))
    return tuple(kind for kind in PeriodType if kind in found)
