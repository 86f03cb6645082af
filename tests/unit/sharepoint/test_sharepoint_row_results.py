"""Row results are the current state: news is written, what stands is not, what heals is said."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.domain.report import RowResult, RunMode, RunReport, RunStatus, Trigger
from worker.domain.values import Item
from worker.sharepoint.row_results import HEALED, KNOWN_COLUMNS, is_judged, news, result_key

REPORT = RunReport(
    "run-1", "Customers", RunMode.APPLY, Trigger.TIMER, RunStatus.WITH_ERRORS, datetime(2026, 11, 25, 1, tzinfo=UTC)
)
CODES = ["too-long", "key-ambiguous", "missing-in-erp", "company-missing"]
results = st.builds(
    RowResult,
    key=st.sampled_from(["1001", "1002", "æø|å", "", "x" * 300]),
    outcome=st.sampled_from(["Failed", "Flagged"]),
    code=st.sampled_from(CODES),
    facts=st.just({"column": "Title"}),
    item_id=st.none() | st.integers(1, 9),
)


class List:
    """The list of row results, as far as news needs it."""

    def __init__(self) -> None:
        self.rows: dict[str, Item] = {}
        self.writes = 0

    def take(self, report: RunReport, language="en") -> None:
        for key, item_id, values in list(news(report, self.rows, language)):
            self.writes += 1
            before = self.rows[key].values if key in self.rows else dict.fromkeys(KNOWN_COLUMNS)
            assert (item_id is None) == (key not in self.rows)
            self.rows[key] = Item(item_id or len(self.rows) + 1, "", {**before, **values})

    def standing(self) -> list[tuple[object, object]]:
        return sorted(
            (str(r.values["SourceKey"]), str(r.values["ReasonCode"]))
            for r in self.rows.values()
            if r.values["Outcome"] != HEALED
        )


def with_rows(*rows: RowResult, **more: object) -> RunReport:
    return replace(REPORT, rows=rows, **more)


FAILED = RowResult("1001", "Failed", "too-long", {"column": "Title", "length": 300, "limit": 255}, 7, "Bagger A/S")


@given(st.lists(results, max_size=6), st.lists(results, max_size=6))
def test_the_list_stands_as_the_last_run_left_it_and_repeating_writes_nothing(first, second):
    """Any two runs after each other; then the second once more."""
    kept = List()
    kept.take(with_rows(*first))
    kept.take(with_rows(*second, run_id="run-2"))
    assert kept.standing() == sorted((row.key[:255] or "None", row.code) for row in second)
    writes = kept.writes
    kept.take(with_rows(*second, run_id="run-3"))
    assert kept.writes == writes


def test_a_failed_row_has_a_sentence_a_hint_and_a_beginning():
    """What a person needs to act."""
    kept = List()
    kept.take(with_rows(FAILED))
    (row,) = kept.rows.values()
    assert row.values["Reason"] == "The text for Title has 300 characters; the column holds 255."
    assert row.values["Hint"].startswith("Shorten it in e-conomic")
    assert (row.values["Title"], row.values["RunID"], row.values["Since"]) == ("Bagger A/S", "run-1", REPORT.started)


def test_danish_is_spoken_when_asked():
    """The language of the settings."""
    kept = List()
    kept.take(with_rows(FAILED), "da")
    (row,) = kept.rows.values()
    assert row.values["Reason"] == "Teksten til Title har 300 tegn; kolonnen kan rumme 255."


def test_a_row_that_is_well_again_is_healed_and_one_that_fails_again_begins_anew():
    """Healed by the run that saw it well; the time since when counts from the new failure."""
    kept = List()
    kept.take(with_rows(FAILED))
    kept.take(with_rows(run_id="run-2", status=RunStatus.SUCCEEDED))
    (row,) = kept.rows.values()
    assert (row.values["Outcome"], row.values["RunID"]) == (HEALED, "run-2")
    later = datetime(2026, 12, 1, tzinfo=UTC)
    kept.take(with_rows(FAILED, run_id="run-3", started=later))
    (row,) = kept.rows.values()
    assert (row.values["Outcome"], row.values["Since"]) == ("Failed", later)


@pytest.mark.parametrize("status", [RunStatus.FAILED, RunStatus.PAUSED, RunStatus.BRAKED])
def test_a_run_that_did_not_see_every_row_heals_none(status):
    """Silence is no proof."""
    kept = List()
    kept.take(with_rows(FAILED))
    kept.take(with_rows(status=status))
    assert len(kept.standing()) == 1


def test_another_profiles_rows_are_left_alone():
    """Each profile heals its own."""
    kept = List()
    kept.take(with_rows(FAILED))
    kept.take(with_rows(profile="Balances", status=RunStatus.SUCCEEDED))
    assert len(kept.standing()) == 1


def test_what_says_nothing_about_rows_is_not_judged():
    """Plans, and runs that were stopped before they looked."""
    assert is_judged(with_rows(status=RunStatus.SUCCEEDED))
    assert is_judged(with_rows(FAILED, status=RunStatus.FAILED))
    assert not is_judged(with_rows(status=RunStatus.FAILED))
    assert not is_judged(with_rows(FAILED, mode=RunMode.PLAN))


def test_a_key_that_fails_twice_in_one_run_is_two_rows():
    """Two customers with one key are two problems."""
    kept = List()
    kept.take(with_rows(FAILED, replace(FAILED, code="key-duplicate-source", facts={"key": "1001"})))
    assert len(kept.rows) == 2


def test_keys_too_long_for_a_unique_column_become_digests():
    """Still one per profile and key."""
    long = "x" * 300
    assert len(result_key("P", long)) == 64
    assert result_key("P", long) != result_key("P", long + "y")
    assert result_key("P", "1001") == "P|1001"
