"""Plans on file and for the eye: nothing lost, nothing altered unnoticed, nothing from outside taken as markup."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.domain.plan import Change, ChangeKind, ControlSum, FieldChange, LeftOut, Plan, RowOutcome
from worker.domain.plan_file import PlanEntry, PlanFile, dump_plan_file, load_plan_file
from worker.domain.render.html import plan_html
from worker.domain.render.json import plan_json
from worker.domain.render.markdown import plan_markdown
from worker.domain.render.text import plan_text
from worker.domain.render.values import Forecast, forecast, forecast_all, one_line, plain, shown, some
from worker.errors import StalePlanError

NASTY = "<b>|`*_[x](y)</script>\x1b[31m\u202e&\r\nÅse 'Q' \"R\""
values = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.decimals(allow_nan=False, allow_infinity=False, places=2, min_value=-(10**9), max_value=10**9),
    st.dates(),
    st.datetimes(timezones=st.just(UTC)),
    st.text(max_size=20),
)
names = st.text(min_size=1, max_size=12)
field_changes = st.builds(FieldChange, names, values, values, st.booleans())
changes = st.builds(
    Change,
    st.sampled_from(ChangeKind),
    names,
    st.lists(field_changes, max_size=3).map(tuple),
    st.one_of(st.none(), st.integers(1, 9)),
    st.one_of(st.none(), names),
    st.one_of(st.none(), names),
)
left_outs = st.builds(
    LeftOut,
    names,
    st.sampled_from([RowOutcome.SKIPPED, RowOutcome.FAILED]),
    st.just("exists"),
    st.dictionaries(names, names, max_size=2),
    st.lists(st.integers(1, 9), max_size=2).map(tuple),
    st.one_of(st.none(), names),
)
money = st.decimals(allow_nan=False, allow_infinity=False, places=2, min_value=-(10**9), max_value=10**9)
plans = st.builds(
    Plan,
    profile=names,
    target=names,
    import_type=st.just("Update"),
    as_of=st.dates(),
    changes=st.lists(changes, max_size=4).map(tuple),
    left_out=st.lists(left_outs, max_size=3).map(tuple),
    source_rows=st.integers(0, 99),
    unchanged=st.integers(0, 99),
    filtered=st.integers(0, 99),
    existing=st.integers(0, 99),
    blanked=st.dictionaries(names, st.integers(0, 9), max_size=2),
    controls=st.lists(st.builds(ControlSum, names, names, money, money), max_size=2).map(tuple),
    still_missing=st.lists(st.tuples(names, st.integers(1, 9)), max_size=2).map(tuple),
)
files = st.builds(
    PlanFile,
    st.datetimes(timezones=st.just(UTC)),
    st.integers(1, 9_999_999),
    st.lists(st.builds(PlanEntry, plans, names, st.lists(names, max_size=2).map(tuple)), max_size=3).map(tuple),
)


@given(files)
def test_a_plan_survives_its_file(file):
    """All of it, digests included."""
    loaded = load_plan_file(dump_plan_file(file), "plan.json")
    assert loaded == file
    assert loaded.digests == file.digests


@given(plans, changes)
def test_the_digest_is_that_of_what_would_be_done(plan, change):
    """Another change is another plan; stamps, etags and counts are not."""
    same = replace(plan, unchanged=plan.unchanged + 1, changes=tuple(replace(c, version="x") for c in plan.changes))
    assert same.digest == plan.digest
    assert replace(plan, changes=(*plan.changes, change)).digest != plan.digest


def plan() -> Plan:
    create = Change(ChangeKind.CREATE, "1001", (FieldChange("Title", None, NASTY),), title=NASTY)
    update = Change(
        ChangeKind.UPDATE,
        "1002",
        (FieldChange("Balance", Decimal("1234.50"), Decimal("-2")), FieldChange("SyncRunID", "a", "b", stamp=True)),
        7,
        "v",
        "Holm A/S",
    )
    left = LeftOut("1003", RowOutcome.FAILED, "too-long", {"column": "Title", "length": 300, "limit": 255}, (), NASTY)
    return Plan(
        NASTY, "CRM Company", "Import & Update", date(2026, 11, 25), (create, update), (left,), 10, 5, filtered=2
    )


def file_text() -> str:
    return dump_plan_file(PlanFile(datetime(2026, 11, 25, tzinfo=UTC), 1, (PlanEntry(plan(), "d"),)))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"version": 1}',
        '{"version": 9, "made": "2026-01-01", "agreement": 1, "profiles": []}',
        file_text().replace("1001", "1009"),
        file_text().replace("d:-2", "d:-3"),
        file_text().replace('"Update"', '"Flag"', 1),
    ],
)
def test_a_file_that_is_no_plan_or_was_altered_is_refused(text):
    """One sentence and the next step."""
    with pytest.raises(StalePlanError) as caught:
        load_plan_file(text, "plan.json")
    assert "plan.json" in caught.value.message
    assert "plan --out" in caught.value.hint


def places(node: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place inside a JSON value."""
    inner = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for step, value in inner:
        yield (*path, step)
        yield from places(value, (*path, step))


PLACES = sorted(places(json.loads(file_text())), key=repr)
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6) | st.sampled_from(["d:abc", "D:x"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)


@given(st.sampled_from(PLACES), anything)
def test_whatever_is_altered_what_would_be_done_stays_the_same_or_the_file_is_refused(place, value):
    """No alteration ends in another error, and none changes a plan unnoticed."""
    data = json.loads(file_text())
    node = data
    for step in place[:-1]:
        node = node[step]
    node[place[-1]] = value
    try:
        loaded = load_plan_file(json.dumps(data), "plan.json")
    except StalePlanError:
        return
    done = [
        [c.kind, c.key, c.item_id, [f for f in c.fields if not f.stamp]] for e in loaded.entries for c in e.plan.changes
    ]
    meant = [[c.kind, c.key, c.item_id, [f for f in c.fields if not f.stamp]] for c in plan().changes]
    assert done in (meant, [])


def test_a_file_nested_without_end_is_refused():
    """Also what the reader itself can't hold."""
    with pytest.raises(StalePlanError):
        load_plan_file("[" * 100_000, "plan.json")


@given(st.text())
def test_no_text_from_outside_controls_a_terminal(text):
    """One line, no control or direction marks; names are never longer than the line allows, values are whole."""
    line = one_line(text)
    assert len(line) <= 80
    assert line.rstrip("…") == plain(text)[: len(line.rstrip("…"))]
    assert not any(ord(mark) < 32 or 127 <= ord(mark) < 160 or mark in "\u202e\u2066\u200f" for mark in line)


def test_text_shows_counts_forecast_changes_and_reasons():
    """Before and after, without the stamps; a limit is said."""
    lines = list(plan_text(plan(), ["Too much."], limit=0, units_per_minute=4))
    text = "\n".join(lines)
    assert "1 create, 1 update, 0 flag, 5 unchanged, 2 skip, 1 fail" in text
    assert "1 write request, 4 resource units, about 1 minute" in text
    assert "Balance: 1,234.50 -> -2" in text
    assert "BRAKE: Too much." in text
    assert "300 characters" in text
    assert "SyncRunID" not in text
    assert "\x1b" not in text
    short = "\n".join(plan_text(plan(), [], limit=1, units_per_minute=4))
    assert "and 1 more changes" in short


def test_markdown_takes_nothing_from_outside_as_marks():
    """Pipes, brackets, angle brackets and line breaks in names stay text."""
    lines = list(plan_markdown(plan(), [], limit=0, units_per_minute=4))
    rows = [line for line in lines if line.startswith("| Create")]
    assert len(rows) == 1
    assert rows[0].replace("\\|", "").count("|") == 7
    assert "<b>" not in "\n".join(lines)
    assert "](y)" not in "\n".join(lines).replace("\\]\\(y\\)", "")


class Tags(HTMLParser):
    """Collects element names."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)
        assert not any(name.startswith("on") or name in ("src", "href") for name, _ in attrs)


def test_the_page_holds_no_markup_from_outside_and_no_outside_asset():
    """Names are escaped; the page needs nothing but itself."""
    page = plan_html(load_plan_file(file_text(), "plan.json"), limit=0, units_per_minute=4)
    tags = Tags()
    tags.feed(page)
    assert "b" in tags.seen, "the counts are bold"
    ours = "html head meta title style body h1 h2 p ul li b div table thead tbody tr th td"
    assert tags.seen <= {*ours.split()}
    assert "&lt;b&gt;" in page
    assert "http" not in page


def test_a_page_says_how_many_rows_it_leaves_out():
    """A browser can't hold a first load of hundreds of thousands of rows."""
    many = replace(plan(), changes=plan().changes[:1] * 7, left_out=())
    page = plan_html(
        PlanFile(datetime(2026, 11, 25, tzinfo=UTC), 1, (PlanEntry(many, "d"),)), limit=5, units_per_minute=4
    )
    assert page.count("<td class=kind>Create") == 5
    assert "and 2 more rows (--limit 0 shows all)" in page


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "(blank)"),
        (True, "yes"),
        (Decimal("1234567.5"), "1,234,567.5"),
        (date(2026, 1, 2), "2026-01-02"),
        (datetime(2026, 1, 2, 3, 4, tzinfo=UTC), "2026-01-02 03:04 UTC"),
        ("a\nb", "a ⏎ b"),
    ],
)
def test_values_are_shown_as_people_read_them(value, text):
    """One line each."""
    assert shown(value) == text


def test_the_forecast_counts_batches_units_and_minutes():
    """201 changes are three batches and 402 units."""
    many = replace(plan(), changes=plan().changes[:1] * 201)
    found = forecast(many, 875)
    assert (found.write_requests, found.units, round(found.minutes, 2)) == (3, 402, 0.46)
    both = forecast_all([many, many], 875)
    assert (both.write_requests, both.units) == (6, 804)


@pytest.mark.parametrize(
    ("cost", "text"),
    [
        (Forecast(0, 0, 0), "nothing to write"),
        (Forecast(1, 2, 0.01), "1 write request, 2 resource units, less than a minute"),
        (Forecast(30, 6_000, 6.9), "30 write requests, 6,000 resource units, about 7 minutes"),
        (Forecast(460, 90_414, 103.3), "460 write requests, 90,414 resource units, about 1.7 hours"),
    ],
)
def test_a_forecast_reads_as_a_person_says_it(cost, text):
    """Minutes up to an hour and a half, then hours."""
    assert str(cost) == text


def test_nouns_follow_their_numbers():
    """One row, two rows, two batches."""
    assert [some(1, "row"), some(2, "row"), some(1_000, "batch")] == ["1 row", "2 rows", "1,000 batches"]
    assert [some(1, "company"), some(2, "company"), some(2, "day")] == ["1 company", "2 companies", "2 days"]


def test_a_plan_shows_what_differs_however_far_behind():
    """Two long texts that differ at the end are both shown in full, in every form."""
    before, after = "x" * 200 + "old", "x" * 200 + "new"
    change = Change(ChangeKind.UPDATE, "1", (FieldChange("Notes", before, after),), 7, "v", "T")
    long = replace(plan(), changes=(change,))
    file = PlanFile(datetime(2026, 11, 25, tzinfo=UTC), 1, (PlanEntry(long, "d"),))
    forms = [
        "\n".join(plan_text(long, [], limit=0, units_per_minute=4)),
        "\n".join(plan_markdown(long, [], limit=0, units_per_minute=4)),
        plan_html(file, limit=0, units_per_minute=4),
        json.dumps(plan_json(file, units_per_minute=4)),
    ]
    assert all(before in form and after in form for form in forms)


def test_json_holds_the_whole_plan_in_plain_values():
    """Counts, brake, cost, digest, before and after, and the reason in words."""
    file = PlanFile(datetime(2026, 11, 25, tzinfo=UTC), 42, (PlanEntry(plan(), "d", ("Too much.",)),))
    data = json.loads(json.dumps(plan_json(file, units_per_minute=4)))
    assert (data["agreement"], data["writeRequests"], data["resourceUnits"], data["minutes"]) == (42, 1, 4, 1.0)
    (one,) = data["profiles"]
    assert one["counts"] == {"create": 1, "update": 1, "flag": 0, "unchanged": 5, "skip": 2, "fail": 1}
    assert (one["brake"], one["planDigest"], one["asOf"]) == (["Too much."], plan().digest, "2026-11-25")
    create, update = one["changes"]
    assert create["fields"] == [{"column": "Title", "before": None, "after": NASTY, "stamp": False}]
    assert update["fields"][0] == {"column": "Balance", "before": "1234.5", "after": "-2", "stamp": False}
    (left,) = one["leftOut"]
    assert left["code"] == "too-long"
    assert "300 characters" in left["why"]
    assert left["hint"]
