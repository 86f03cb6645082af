"""Reason codes: sentences and hints in both languages."""

from __future__ import annotations

import re
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.domain.reasons import REASONS, hint, sentence

NEEDED = {
    "key-blank", "key-duplicate-source", "key-ambiguous", "too-long", "not-a-choice", "wrong-type", "required-blank",
    "company-missing", "company-ambiguous", "lookup-failed", "filtered", "exists", "unmatched", "missing-in-erp",
    "changed-meanwhile", "gone", "rejected", "unknown-outcome", "not-convertible", "duplicate-key", "stopped",
    "ambiguous-customer-id",
}  # fmt: skip


def facts_of(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_every_code_that_is_used_has_a_reason():
    """A row result without a sentence would be a riddle."""
    assert set(REASONS) >= NEEDED
    assert all(code == reason.code for code, reason in REASONS.items())


@pytest.mark.parametrize("code", REASONS)
def test_both_languages_say_the_same(code):
    """Whole sentences with the same facts; hints hold no facts."""
    reason = REASONS[code]
    assert facts_of(reason.english) == facts_of(reason.danish)
    assert not facts_of(reason.hint_english + reason.hint_danish)
    assert reason.english != reason.danish
    for text in (reason.english, reason.danish, reason.hint_english, reason.hint_danish):
        assert re.search(r"(\.|\{detail\})$", text)
        assert text == text.strip()


@pytest.mark.parametrize("code", REASONS)
def test_facts_are_filled_in(code):
    """Each fact of the row stands in the sentence."""
    facts = {name: f"<{name}>" for name in facts_of(REASONS[code].english)}
    for language in ("en", "da"):
        text = sentence(code, facts, language)
        assert all(value in text for value in facts.values())


def test_an_example_in_both_languages():
    """As it stands in the row results."""
    facts = {"column": "City", "length": 61, "limit": 50}
    assert sentence("too-long", facts) == "The text for City has 61 characters; the column holds 50."
    assert sentence("too-long", facts, "da") == "Teksten til City har 61 tegn; kolonnen kan rumme 50."
    assert hint("too-long") == "Shorten it in e-conomic, or let the profile shorten this column."
    assert hint("too-long", "da").startswith("Forkort")


def test_a_missing_fact_shows_as_a_question_mark():
    """A report is never lost over a fact."""
    assert sentence("gone", {}) == "Item ? was deleted while the run was writing."


@given(st.text(max_size=400))
def test_a_long_or_strange_fact_stays_one_short_line(text):
    """Braces, line breaks and endless texts in a value cannot break the sentence."""
    shown = sentence("rejected", {"detail": text})
    assert "\n" not in shown
    assert "\r" not in shown
    assert len(shown) <= len("SharePoint refused the row: ") + 120


def test_an_unknown_code_is_a_fault_of_ours():
    """It raises rather than showing an empty sentence."""
    with pytest.raises(KeyError):
        sentence("no-such-code", {})
    with pytest.raises(KeyError):
        hint("no-such-code")
