"""Which debtors are worth comparing with a company, without looking at all of them. Pure.

Found by what both share (numbers, e-mail, phone, domain, address, the name's words) and by a name that is spelt nearly
alike: through its rarest groups of three letters, so many that a bounded number of names is compared. So the work grows
with the number of companies, not with companies times debtors. A likeness in nothing but common letters can be missed,
which costs an offer: a debtor that could be a certain match's rival shares more than that.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Protocol

from rapidfuzz import fuzz, process

from worker.domain.signs import FOUND_BY, Crowds, Signs

NEAR = 80.0  # of 100: by the name alone, debtors that are looked at
_COMPARED = 1000


class Near(Protocol):
    """Finds debtors that may be like a party. More than that does no harm."""

    def near(self, signs: Signs) -> Collection[int]: ...


class Blocks:
    """Over the debtors' signs by number. `compared`: names at most that one name is compared with."""

    def __init__(self, debtors: Mapping[int, Signs], crowds: Crowds, compared: int = _COMPARED) -> None:
        self._by: dict[str, dict[str, list[int]]] = {key: defaultdict(list) for key in FOUND_BY}
        named: dict[str, list[int]] = defaultdict(list)
        for number, signs in debtors.items():
            for key, read in FOUND_BY.items():
                if (text := read(signs)) and not crowds.has(key, text):
                    self._by[key][text].append(number)
            if signs.order and not crowds.has("order", signs.order):
                named[signs.order].append(number)
        self._named = named
        self._names = _Names(named, compared)

    def near(self, signs: Signs) -> Collection[int]:
        """Debtor numbers, in no order."""
        found = set(self._names.like(signs.order))
        found.update(self._named.get(signs.order, ()))
        for key, read in FOUND_BY.items():
            found.update(self._by[key].get(read(signs), ()))
        return found


class _Names:
    """Names, each with its debtors, by groups of three letters."""

    def __init__(self, named: Mapping[str, Sequence[int]], compared: int) -> None:
        self._compared = compared
        self._names = list(named)
        self._debtors = list(named.values())
        self._with: dict[str, list[int]] = defaultdict(list)
        for at, name in enumerate(self._names):
            for group in _groups(name):
                self._with[group].append(at)

    def like(self, name: str) -> Iterable[int]:
        """The debtors of names like this one."""
        places = list(self._places(name))
        choices = [self._names[at] for at in places]
        for _, _, at in process.extract(name, choices, scorer=fuzz.ratio, score_cutoff=NEAR, limit=None):
            yield from self._debtors[places[at]]

    def _places(self, name: str) -> Collection[int]:
        lists = sorted((self._with[group] for group in _groups(name) if group in self._with), key=len)
        found: set[int] = set()
        room = self._compared
        for one in lists:
            room -= len(one)
            if room < 0:
                break
            found.update(one)
        return found


def _groups(name: str) -> set[str]:
    """Word by word, so that their order does not matter; ^ and $ are a word's ends."""
    words = [f"^{word}$" for word in name.split()]
    return {word[at : at + 3] for word in words for at in range(len(word) - 2)}
