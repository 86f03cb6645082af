"""The filter and sort grammar alone, compiled and run over a small table."""

import sqlite3
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.emulators.economic.filters import Field, FilterError, compile_filter, compile_sort, fold, like_match

FIELDS = {
    "number": Field("t.number", "int"),
    "name": Field("t.name", "text"),
    "amount": Field("t.amount", "number"),
    "day": Field("t.day", "date"),
    "changed": Field("t.changed", "time"),
    "barred": Field("t.barred", "bool", sortable=False),
    "hidden": Field("t.name", "text", filterable=False, sortable=False),
    "narrow": Field("t.number", "int", operators=frozenset(["eq"])),
}
ROWS = [
    (1, "Ærø [ab] ApS", 10.5, "2026-01-01", "2026-01-01T10:00:00Z", 0),
    (2, "100$ (net), a*b", 0.0, "2026-02-01", "2026-02-01T10:00:00Z", 1),
    (3, None, -3.0, None, "2026-03-01T10:00:00Z", 0),
    (10, "aps", 7.0, "2026-03-01", "2026-04-01T10:00:00Z", 0),
]


@pytest.fixture(scope="module")
def table() -> Iterator[sqlite3.Connection]:
    db = sqlite3.connect(":memory:")
    db.create_function("fold", 1, fold)
    db.create_function("like_match", 2, like_match)
    db.execute("CREATE TABLE t (number, name, amount, day, changed, barred)")
    db.executemany("INSERT INTO t VALUES (?, ?, ?, ?, ?, ?)", ROWS)
    yield db
    db.close()


def matching(db: sqlite3.Connection, text: str) -> list[int]:
    condition = compile_filter(text, FIELDS)
    sql = f"SELECT number FROM t WHERE {condition.sql} ORDER BY number"
    return [row[0] for row in db.execute(sql, condition.params)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("number$eq:2", [2]),
        ("number$ne:2", [1, 3, 10]),
        ("number$gt:2", [3, 10]),
        ("number$gte:2$and:number$lt:10", [2, 3]),
        ("number$lte:1$or:number$eq:10", [1, 10]),
        ("(number$eq:1$or:number$eq:2)$and:barred$eq:true", [2]),
        ("number$eq:1$or:number$eq:2$and:barred$eq:true", [1, 2]),
        ("number$in:[1,10, 3]", [1, 3, 10]),
        ("number$nin:[1,10]", [2, 3]),
        ("amount$gte:10.5", [1]),
        ("name$eq:APS", [10]),
        ("name$eq:ærØ [AB] aps", [1]),
        ("name$eq:100$$ $(net$)$, a$*b", [2]),
        ("name$eq:100$$ (net$), a*b", [2]),
        ("name$eq:$null:", [3]),
        ("name$ne:$null:", [1, 2, 10]),
        ("name$ne:aps", [1, 2, 3]),
        ("name$in:[aps]", []),
        ("name$like:AP", [1, 10]),
        ("name$like:*aps", [1, 10]),
        ("name$like:aps*", [10]),
        ("name$like:*[[]ab]*", [1]),
        ("name$like:a[pq]s", [1, 10]),
        ("name$like:*a$*b", [2]),
        ("day$gte:2026-02-01", [2, 10]),
        ("changed$gt:2026-02-01", [2, 3, 10]),
        ("changed$gte:2026-02-01T10:00:00Z", [2, 3, 10]),
        ("changed$gt:2026-02-01T10:00:00Z", [3, 10]),
        ("changed$gte:2026-02-01T11:00:00%2B01:00".replace("%2B", "+"), [2, 3, 10]),
        ("changed$gte:2026-02-01T10:00:00.500Z", [3, 10]),
        ("NUMBER$EQ:2", [2]),
        ("number$lt:99999999999999999999999", [1, 2, 3, 10]),
    ],
)
def test_filter_matches(table: sqlite3.Connection, text: str, expected: list[int]) -> None:
    """Each operator, escape, group and value form selects the rows it should."""
    assert matching(table, text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "name$eq:a$b",
        "name$eq:a)",
        "(name$eq:a",
        "name",
        "$and:",
        "name$eq:a$and:",
        "number$eq:x",
        "barred$eq:maybe",
        "day$eq:soon",
        "changed$gte:2026-13-01",
        "number$in:1",
        "number$in:[1",
        "number$gt:$null:",
        "hidden$eq:a",
        "unknown$eq:a",
        "narrow$gt:1",
        "number$in:[" + ",".join(map(str, range(201))) + "]",
    ],
)
def test_filter_refused(text: str) -> None:
    """What the service refuses is refused, with a reason."""
    with pytest.raises(FilterError) as caught:
        compile_filter(text, FIELDS)
    assert str(caught.value)


def test_list_of_200_is_allowed(table: sqlite3.Connection) -> None:
    """The cap of a list is 200 values."""
    assert matching(table, "number$in:[" + ",".join(map(str, range(200))) + "]") == [1, 2, 3, 10]


@pytest.mark.parametrize("text", ["changed$gte:2026-02-01T10:00:00.500Z", "changed$gte:2026-02-01T11:00:00+01:00"])
def test_fractions_can_be_refused(text: str) -> None:
    """With fractions off, milliseconds and offsets in a timestamp are refused; the plain forms stay."""
    with pytest.raises(FilterError):
        compile_filter(text, FIELDS, fractions=False)
    compile_filter("changed$gte:2026-02-01T10:00:00Z", FIELDS, fractions=False)


@given(st.text(alphabet=st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=30))
def test_escaped_text_finds_itself(value: str) -> None:
    """Any text, escaped as documented, is an equality filter for exactly that text, whatever signs it holds."""
    escaped = "".join("$" + sign if sign in "$()*," else sign for sign in value)
    condition = compile_filter(f"name$eq:{escaped}", FIELDS)
    assert condition.params == (value.casefold(),)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("-amount", [1, 10, 2, 3]),
        ("barred", None),
        ("name", [3, 2, 10, 1]),
        ("~number", [1, 10, 2, 3]),
        ("-number", [10, 3, 2, 1]),
        ("", [1, 2, 3, 10]),
        ("unknown", None),
    ],
)
def test_sort(table: sqlite3.Connection, text: str, expected: list[int] | None) -> None:
    """Ascending, descending, forced alphabetic; unsortable properties are refused; ties go by key."""
    if expected is None:
        with pytest.raises(FilterError):
            compile_sort(text, FIELDS, "t.number")
        return
    order = compile_sort(text, FIELDS, "t.number")
    assert [row[0] for row in table.execute(f"SELECT number FROM t ORDER BY {order}")] == expected
