"""Companies that somebody asked for on the page *New customers*, until a worker has created them; and what became of
the last ones.

They stand in the store and not in the company's column: only here it can be said that a customer like it does not
matter, and whoever asked reads the answer on the page. However often one is asked for, it is created once: a second
asking finds it waiting, or finds the number.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

from worker.engine.json_record import JsonRecord
from worker.errors import ConfigError, Problem, WorkerError
from worker.ports import Records
from worker.sync.claims import State
from worker.sync.creating import Made

_KEPT = 5  # answers


@dataclass(frozen=True, slots=True)
class Wanted:
    """One that waits. `at`: when it was asked for (ISO, UTC); `anyway`: although e-conomic has a customer like it;
    `problem` and `hint`: why it could not be created yet."""

    item_id: int
    at: str
    anyway: bool = False
    problem: str = ""
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of one. `text` is what its item says, or an error's sentence with the next step in `hint`;
    `problems`: everything that must be corrected, in place of the sentence."""

    item_id: int
    at: str
    name: str = ""
    created: bool = False
    text: str = ""
    hint: str = ""
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class Asked:
    """Those that wait, in turn; and the last answers, newest first."""

    wanted: tuple[Wanted, ...] = ()
    answers: tuple[Answer, ...] = ()


class WantedBook:
    """Of one connection. Thread- and process-safe, as the store is."""

    def __init__(self, records: Records, connection: str) -> None:
        self._record = JsonRecord(records, f"creation-asked/{connection}", Asked(), _loaded, asdict)

    def read(self) -> Asked:
        """A damaged record counts as none."""
        return self._record.read()

    def ask(self, item_id: int, now: datetime, *, anyway: bool = False) -> None:
        """One that waits already goes on waiting; that a customer like it does not matter is taken in."""

        def change(before: Asked) -> Asked:
            answers = tuple(one for one in before.answers if one.item_id != item_id)
            waits = next((one for one in before.wanted if one.item_id == item_id), None)
            if waits is None:
                return Asked((*before.wanted, Wanted(item_id, now.isoformat(), anyway)), answers)
            asked = replace(waits, anyway=waits.anyway or anyway)
            return Asked(tuple(asked if one is waits else one for one in before.wanted), answers)

        self._record.change(change)

    def waits(self, taken: Wanted, reason: WorkerError | None = None) -> None:
        """It could not be created yet; those that were asked for later come first now."""
        problem, hint = (reason.message, reason.hint) if reason is not None else ("", "")

        def change(before: Asked) -> Asked:
            others = tuple(one for one in before.wanted if one.item_id != taken.item_id)
            itself = (one for one in before.wanted if one.item_id == taken.item_id)
            return replace(before, wanted=(*others, *(replace(one, problem=problem, hint=hint) for one in itself)))

        self._record.change(change)

    def over(self, taken: Wanted, answer: Answer) -> None:
        """It is settled, unless somebody asked for more meanwhile."""

        def change(before: Asked) -> Asked:
            waits = next((one for one in before.wanted if one.item_id == taken.item_id), None)
            if waits is None or waits.anyway != taken.anyway:
                return before
            answers = (answer, *(one for one in before.answers if one.item_id != taken.item_id))
            return Asked(tuple(one for one in before.wanted if one is not waits), answers[:_KEPT])

        self._record.change(change)


def answer_of(made: Made, now: datetime) -> Answer:
    """Of a company that was worked."""
    created = made.state == State.CREATED
    return Answer(made.item_id, now.isoformat(), made.name, created, made.status)


def refused(wanted: Wanted, error: WorkerError, now: datetime) -> Answer:
    """Of one that could not be worked at all."""
    problems = tuple(error.problems) if isinstance(error, ConfigError) else ()
    return Answer(wanted.item_id, now.isoformat(), text=error.message, hint=error.hint, problems=problems)


def _loaded(data: Mapping[str, Any]) -> Asked:
    wanted = tuple(Wanted(**one) for one in data["wanted"])
    return Asked(wanted, tuple(_answer(one) for one in data["answers"]))


def _answer(data: Mapping[str, Any]) -> Answer:
    problems: Sequence[Mapping[str, Any]] = data["problems"]
    return Answer(
        **{**data, "problems": tuple(Problem(one["where"], one["message"], tuple(one["allowed"])) for one in problems)}
    )
