"""JSON as people type and paste it."""

from __future__ import annotations

import pytest

from worker.domain.profile_json import read_json


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"a": 1}', {"a": 1}),
        ('\ufeff{"a": 1}', {"a": 1}),  # a file saved by an editor that marks UTF-8
        ('{\u00a0"a":\u202f1\u200b}', {"a": 1}),  # pasted from a web page
        ("[\r\n]\r\n", []),
    ],
)
def test_marks_that_no_eye_sees_do_no_harm(text, expected):
    """Byte-order mark, blanks that do not break, zero width, Windows' line ends."""
    assert read_json(text) == (expected, [])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('[\n {"a" 1}]', "is not readable JSON: Expecting ':' delimiter at line 2, column 7."),
        ('[\r\n {"a" 1}]', "is not readable JSON: Expecting ':' delimiter at line 2, column 7."),
        ("{“a”: 1}", 'at line 1, column 2. Use straight quotes (") instead of curly ones.'),
        ("[" * 100_000, "is not readable JSON: brackets are nested too deeply."),
        ('{"a": NaN}', "is not readable JSON: it holds a number that JSON does not have."),
        (f'{{"a": {"9" * 5000}}}', "is not readable JSON: it holds a number that JSON does not have."),
    ],
)
def test_what_can_not_be_read_is_answered_with_the_place(text, expected):
    """One sentence, never a traceback."""
    data, wrong = read_json(text)
    assert data is None
    assert len(wrong) == 1
    assert wrong[0].endswith(expected)


def test_a_name_that_stands_twice_is_a_mistake():
    """The last one would win silently."""
    assert read_json('[{"a": 1, "b": 2, "a": 3}]') == ([{"a": 3, "b": 2}], ["'a' stands twice in one object."])
