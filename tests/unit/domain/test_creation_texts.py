"""What the status text of a company says: in both languages, with the next step."""

from __future__ import annotations

import re

import pytest

from worker.domain.creation_texts import _TEXTS, Text, said

# Facts of a company that are wrong as they stand; "again" follows them, which says what to do next.
FOLLOWED = {"no-name", "no-cvr", "bad-cvr", "digits", "too-long", "no-email", "no-default", "unknown", "refused"}
TOLD = {"creating", "created", "contact", "again"}
STEPS = re.compile(
    r"switch it on|[Ww]rite|[Aa]sk for|Widen|create this one|Give the app|Create it|correct Customer ID|Fetch it back|"
    r"Choose another number|Choose Requested|Bar |Tell your administrator"
)
NAMES = ("number", "name", "first", "last", "value", "wanted", "length", "limit", "detail", "day", "hint", "key")
FACTS = dict.fromkeys(NAMES, "7")
FACTS |= {"company": "Nordlys ApS", "item": "12", "what": "EAN", "why": "cvr"}


@pytest.mark.parametrize("code", sorted(_TEXTS))
def test_every_text_is_whole_in_both_languages(code):
    english, danish = said([Text(code, FACTS)]), said([Text(code, FACTS)], "da")
    assert english != danish
    assert "{" not in english + danish


@pytest.mark.parametrize("code", sorted(set(_TEXTS) - FOLLOWED - TOLD))
def test_what_keeps_a_company_from_being_created_names_the_next_step(code):
    assert STEPS.search(said([Text(code, FACTS)]))
