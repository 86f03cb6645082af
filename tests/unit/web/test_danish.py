"""The Danish catalogues: whole, consistent, and with nothing in them that no page says."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.catalog import Message
from babel.messages.pofile import read_po

from tests.support import catalogue
from worker.web.texts import texts_for

FOLDER = catalogue.ROOT / "web" / "locale" / "da"
# Words that are the same in both languages.
ALIKE = {
    "Problem",
    "PDF",
    "SharePoint",
    "CVR",
    "Test",
    "Status",
    "Timer",
    "Webhook",
    "App",
    "e-conomic",
    "E-mail",
    "Filter",
}
_PLACES = re.compile(r"%\(\w+\)s|\{\w+\}")


def messages(path: Path) -> Iterator[Message]:
    with path.open("rb") as file:
        yield from (message for message in read_po(file, "da") if message.id)


def files() -> list[Path]:
    found = sorted(FOLDER.glob("*.po"))
    assert found
    return found


def english() -> set[str | tuple[str, ...]]:
    return {*catalogue.templates(), *catalogue.words(), *catalogue.sentences()}


def danish() -> dict[str | tuple[str, ...], str | tuple[str, ...]]:
    return {message.id: message.string for path in files() for message in messages(path)}


def test_everything_that_pages_say_is_there():
    missing = english() - set(danish())
    assert len(english()) > 500
    assert not missing, sorted(map(str, missing))


def test_nothing_is_there_that_no_page_says():
    unused = set(danish()) - english()
    assert not unused, sorted(map(str, unused))


def test_nothing_is_left_in_english():
    same = [text for text, found in danish().items() if text == found or not found]
    assert set(same) <= ALIKE, sorted(map(str, set(same) - ALIKE))


def test_a_text_has_one_translation():
    often = Counter(message.id for path in files() for message in messages(path))
    assert not [text for text, count in often.items() if count > 1]


@pytest.mark.parametrize("path", files(), ids=lambda path: path.stem)
def test_what_is_filled_in_stays(path):
    """A missing place would lose a number, a wrong one would break the page."""
    for message in messages(path):
        texts = message.id if isinstance(message.id, tuple) else (message.id,)
        strings = message.string if isinstance(message.string, tuple) else (message.string,)
        for text, found in zip(texts, strings, strict=True):
            assert set(_PLACES.findall(found)) == set(_PLACES.findall(text)), message.id


@pytest.mark.parametrize(
    ("told", "shown"),
    [
        ("You are not signed in.", "Du er ikke logget ind."),
        ("e-conomic has no customer 99.", "e-conomic har ingen kunde 99."),
        ("There are: default, other", "Der er: default, other"),
        ('must be a JSON object such as {"customerGroups": [1, 2], "includeBarred": false}.', "skal være"),
        ("A sentence that nobody wrote.", "A sentence that nobody wrote."),
        ("100 % of {b} {a}", "100 % of {b} {a}"),
    ],
)
def test_sentences_with_names_and_numbers_are_danish_too(told, shown):
    assert texts_for("da", "").sentence(told).startswith(shown)


def test_english_is_the_language_of_the_sources():
    assert texts_for("en", "").sentence("You are not signed in.") == "You are not signed in."
    assert texts_for(None, "da-DK,da;q=0.9,en;q=0.8").language == "da"
    assert texts_for(None, "sv-SE,sv;q=0.9").language == "en"
    assert texts_for("xx", "da").language == "da"
