"""The cells of a profile row: read one by one, each problem noted, none raised."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, TypeVar

from worker.domain import profile_words as words
from worker.domain.profile_json import read_json, shown
from worker.domain.secrets_guard import find_secret
from worker.errors import Problem

Found = TypeVar("Found")
_HIDDEN = "(hidden)"
_REFUSED = "seems to hold {}. Secrets must not be stored in a list: take it out."


class Cells:
    """One row by logical column. `where` names it in messages, `displays` gives the columns' names for people.

    A cell that seems to hold a secret is one problem; it reads as blank from then on and nothing more is said about
    it, so that no message can repeat it.
    """

    def __init__(self, row: Mapping[str, Any], where: str, displays: Mapping[str, str]) -> None:
        self._displays = displays
        secrets = {column: kind for column, value in row.items() if (kind := _secret_in(value))}
        for column in secrets:
            where = where.replace(str(row[column]).strip(), _HIDDEN)
        self.where = where
        self._row = {column: value for column, value in row.items() if column not in secrets}
        self._secret = frozenset(secrets)
        self.problems = [Problem(self.place(column), _REFUSED.format(kind)) for column, kind in secrets.items()]

    def place(self, column: str) -> str:
        """Row and column, for messages."""
        return f"{self.where}, column {self._displays.get(column, column)}"

    def problem(self, column: str, message: str, allowed: Iterable[str] = ()) -> None:
        """Notes a problem of one column. What was typed may be in `message`; a terminal must survive it."""
        if column not in self._secret:
            safe = "".join(mark if mark.isprintable() else " " for mark in message)
            self.problems.append(Problem(self.place(column), safe, tuple(allowed)))

    def text(self, column: str) -> str:
        """The cell without blanks around it; "" when there is nothing."""
        value = self._row.get(column)
        return "" if value is None else str(value).strip()

    def word(
        self, column: str, read: Callable[[object], Found | None], allowed: Iterable[str], blank: Found | None = None
    ) -> Found | None:
        """What the typed word means; `blank` when nothing is typed, which without a `blank` is a problem."""
        text = self.text(column)
        if not text:
            if blank is None:
                self.problem(column, "is blank.", allowed)
            return blank
        found = read(text)
        if found is None:
            choices = tuple(allowed)
            self.problem(column, f"'{shown(text)}' is not known.{words.did_you_mean(text, choices)}", choices)
        return found

    def yes_no(self, column: str, *, blank: bool) -> bool:
        """Yes or no in English or Danish."""
        text = self.text(column)
        found = words.yes_no(text) if text else blank
        if found is None:
            self.problem(column, f"'{shown(text)}' is neither yes nor no.", ("Yes", "No"))
        return blank if found is None else found

    def number(self, column: str, blank: Decimal, high: int, *, whole: bool = False) -> Decimal:
        """A number from 0 to `high`; a decimal comma and a per cent sign are fine."""
        text = self.text(column).removesuffix("%").strip().replace(",", ".")
        if not text:
            return blank
        try:
            number = Decimal(text)
        except InvalidOperation:
            self.problem(column, f"'{shown(text)}' is not a number.")
            return blank
        if not number.is_finite() or not 0 <= number <= high:
            self.problem(column, f"{shown(text)} is out of range; it must be 0 to {high}.")
            return blank
        if whole and number != int(number):
            self.problem(column, f"{shown(text)} is not a whole number.")
            return blank
        return number

    def json(self, column: str) -> Any:
        """The data of a JSON cell (a file's cell is data already); None when it is blank or can't be read."""
        value = self._row.get(column)
        if not isinstance(value, str):
            return value
        if not value.strip():
            return None
        data, wrong = read_json(value)
        for message in wrong:
            self.problem(column, message)
        return data

    def readable(self, column: str) -> bool:
        """Whether nothing was said about the column so far."""
        return column not in self._secret and all(problem.where != self.place(column) for problem in self.problems)


def _secret_in(value: object) -> str | None:
    return find_secret(value if isinstance(value, str) else json.dumps(value, default=str, ensure_ascii=False))
