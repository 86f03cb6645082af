"""Types before values: what a person hears while mapping must be true of every row."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from worker.domain.field_types import FieldType, SourceField
from worker.domain.fit import fit
from worker.domain.type_fit import misfit
from worker.domain.values import Column, ColumnKind
from worker.errors import RowError

VALUES = {
    FieldType.TEXT: ["words", "12.5", "2026-01-31", "yes"],
    FieldType.CHOICE: ["words", "12", "no"],
    FieldType.WHOLE: [Decimal(7)],
    FieldType.MONEY: [Decimal("7.50")],
    FieldType.NUMBER: [Decimal("7.123")],
    FieldType.DATE: [date(2026, 1, 31)],
    FieldType.TIMESTAMP: [datetime(2026, 1, 31, 2, tzinfo=UTC)],
    FieldType.BOOL: [True],
}
KINDS = [kind for kind in ColumnKind if kind not in (ColumnKind.LOOKUP, ColumnKind.PERSON)]


def field(kind: FieldType, *choices: str) -> SourceField:
    return SourceField("Field", kind, "", lambda _: None, choices=choices)


def fits(value: object, column: Column) -> bool:
    try:
        fit(value, column)  # type: ignore[arg-type]
    except RowError:
        return False
    return True


@pytest.mark.parametrize("kind", KINDS, ids=str)
@pytest.mark.parametrize("source", FieldType, ids=str)
def test_a_verdict_holds_for_the_values(source, kind):
    """Certain: no value fits. Nothing said: every value fits. A caution: some do."""
    column = Column("C", "C", "C", kind)
    results = {fits(value, column) for value in VALUES[source]}
    found = misfit(field(source), None, column)
    if found is None:
        assert results == {True}
    elif found.certain:
        assert results == {False}
    else:
        assert True in results


def test_choices_that_the_column_lacks_are_named():
    column = Column("C", "C", "C", ColumnKind.CHOICE, choices=("active",))
    some = misfit(field(FieldType.CHOICE, "Active", "Barred"), None, column)
    assert some is not None
    assert not some.certain
    assert "Barred" in some.text
    none = misfit(field(FieldType.CHOICE, "New"), None, column)
    assert none is not None
    assert none.certain


def test_a_converter_changes_what_must_fit():
    column = Column("C", "C", "C", ColumnKind.DATE)
    assert misfit(field(FieldType.TIMESTAMP), None, column) is not None
    assert misfit(field(FieldType.TIMESTAMP), "date", column) is None


def test_a_constant_and_a_person():
    assert misfit(None, None, Column("C", "C", "C", ColumnKind.NUMBER)) is None
    person = misfit(field(FieldType.TEXT), None, Column("C", "C", "C", ColumnKind.PERSON))
    assert person is not None
    assert person.certain
