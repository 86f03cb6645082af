"""Companies asked for on the page: they wait once each, and an answer settles only what it is an answer to."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from tests.fakes.fake_work import make_fake_stores
from worker.errors import ConfigError, Problem, UnavailableError
from worker.ports import ANY_VERSION, Records
from worker.wiring.wanted import Answer, Asked, WantedBook, refused

NOW = datetime(2026, 11, 25, 2, tzinfo=UTC)


class Clock:
    def now(self) -> datetime:
        return NOW


@pytest.fixture
def records() -> Records:
    return make_fake_stores(Clock()).records


@pytest.fixture
def book(records: Records) -> WantedBook:
    return WantedBook(records, "default")


def items(book: WantedBook) -> list[int]:
    return [one.item_id for one in book.read().wanted]


def test_one_that_waits_is_not_asked_for_a_second_time(book):
    book.ask(7, NOW)
    book.ask(7, NOW + timedelta(minutes=1), anyway=True)
    (one,) = book.read().wanted
    assert (one.item_id, one.at, one.anyway) == (7, NOW.isoformat(), True)
    book.ask(7, NOW)
    assert book.read().wanted == (one,), "what was insisted on stays"


def test_many_who_ask_at_once_are_all_heard(book):
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda at: book.ask(at % 4, NOW), range(16)))
    assert sorted(items(book)) == [0, 1, 2, 3]


def test_an_answer_to_less_than_was_asked_for_settles_nothing(book):
    """Somebody insisted while it was worked without that."""
    book.ask(7, NOW)
    (taken,) = book.read().wanted
    book.ask(7, NOW, anyway=True)
    book.over(taken, Answer(7, NOW.isoformat(), text="Not created."))
    assert items(book) == [7]
    assert book.read().answers == ()


def test_an_answer_that_comes_twice_is_one(book):
    book.ask(7, NOW)
    (taken,) = book.read().wanted
    for _ in range(2):
        book.over(taken, Answer(7, NOW.isoformat(), text="Created.", created=True))
    assert items(book) == []
    assert len(book.read().answers) == 1


def test_the_last_five_answers_are_kept_newest_first_and_one_for_each_company(book):
    for item in (1, 2, 3, 4, 5, 6, 2):
        book.ask(item, NOW)
        (taken,) = book.read().wanted
        book.over(taken, Answer(item, NOW.isoformat()))
    assert [one.item_id for one in book.read().answers] == [2, 6, 5, 4, 3]


def test_one_that_can_not_be_created_yet_lets_the_others_go_first_and_says_why(book):
    for item in (1, 2, 3):
        book.ask(item, NOW)
    book.waits(book.read().wanted[0], UnavailableError("e-conomic does not answer.", hint="Wait."))
    assert items(book) == [2, 3, 1]
    last = book.read().wanted[-1]
    assert (last.problem, last.hint) == ("e-conomic does not answer.", "Wait.")
    book.waits(last)
    assert book.read().wanted[-1].problem == ""


def test_everything_that_must_be_corrected_is_kept(book):
    book.ask(7, NOW)
    (taken,) = book.read().wanted
    problems = (Problem("column A", "is missing."), Problem("column B", "is missing.", ("a", "b")))
    book.over(taken, refused(taken, ConfigError(problems, hint="Make them."), NOW))
    (answer,) = book.read().answers
    assert (answer.problems, answer.hint) == (problems, "Make them.")


@pytest.mark.parametrize(
    "content", [b"", b"[]", b'{"wanted": [{"x": 1}], "answers": []}', b'{"wanted": [], "answers": [1]}']
)
def test_a_damaged_record_starts_anew(records, book, content):
    records.write("creation-asked/default", content, ANY_VERSION)
    assert book.read() == Asked()
    book.ask(7, NOW)
    assert items(book) == [7]
