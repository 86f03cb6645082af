"""The items a target list holds, by key, packed small.

A list of 200,000 items must fit beside everything else in 300 MB, so an item is kept as one byte string of its
encoded values and looked at again only when something differs. Refused: a dict per item, at six times the memory.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from worker.domain.encode import decode_value, encode_value
from worker.domain.fit import normal
from worker.domain.values import Column, Item, Value

_MARK = "\x1f"  # can't occur in a value: normal() removes control characters


@dataclass(frozen=True, slots=True)
class Stored:
    """One unpacked item; `texts` are encoded values in the order of the index's columns."""

    item_id: int
    version: str
    texts: tuple[str, ...]

    def value(self, position: int) -> Value:
        """The value of the column at `position`."""
        return decode_value(self.texts[position])


class ExistingIndex:
    """Items by key text, as they were read. Items without a key are left alone."""

    def __init__(self, columns: Sequence[Column], key_column: str) -> None:
        self.columns = tuple(columns)
        self.positions = {column.name: position for position, column in enumerate(columns)}
        self._key = self.positions[key_column]
        self._items: dict[str, bytes | list[bytes]] = {}
        self._tails: dict[str, str | None] | None = None
        self.keyed = 0

    def add(self, item: Item) -> str | None:
        """Takes an item in; returns its key text, or None when it has none."""
        values = [normal(item.values.get(column.name), column) for column in self.columns]
        key = key_text(values[self._key])
        if key is None:
            return None
        packed = _MARK.join([str(item.item_id), item.version, *map(encode_value, values)]).encode()
        self._put(key, packed)
        self.keyed += 1
        return key

    def _put(self, key: str, packed: bytes) -> None:
        earlier = self._items.get(key)
        if earlier is None:
            self._items[key] = packed
        elif isinstance(earlier, list):
            earlier.append(packed)
        else:
            self._items[key] = [earlier, packed]

    def take(self, key: str) -> list[Stored]:
        """The items with this key, removed from the index: what is left in the end is missing in the source."""
        return _stored(self._items.pop(key, []))

    def has(self, key: str) -> bool:
        """Whether any item carries it."""
        return key in self._items

    def left(self) -> Iterator[str]:
        """The keys that are left."""
        return iter(self._items)

    def look(self, key: str) -> list[Stored]:
        """The items with this key; they stay in the index."""
        return _stored(self._items.get(key, []))

    def rekey(self, moves: Mapping[str, str]) -> None:
        """Old key -> new key, all at once, as if the items carried the new ones already. A new key that stays with
        another item is not given to a second one: nothing happens to that pair, nor to those that wait for it."""
        taken = {old: self._items.pop(old) for old in self._possible(moves)}
        self._items.update((moves[old], packed) for old, packed in taken.items())

    def _possible(self, moves: Mapping[str, str]) -> dict[str, str]:
        first: dict[str, str] = {}  # of several that want one key
        for old, new in moves.items():
            if old in self._items:
                first.setdefault(new, old)
        left = {old: new for new, old in first.items() if old != new}
        while blocked := [old for old, new in left.items() if new in self._items and new not in left]:
            for old in blocked:
                del left[old]
        return left

    def only_with_tail(self, separator: str, tail: str) -> str | None:
        """The one key that ends in `separator` and `tail`; None when there is none, or several. Made of the keys that
        are there at the first call."""
        if self._tails is None:
            self._tails = {}
            for key in self._items:
                end = key.partition(separator)[2]
                self._tails[end] = None if end in self._tails else key
        found = self._tails.get(tail)
        return found if found in self._items else None

    def rest(self) -> Iterator[tuple[str, list[Stored]]]:
        """Keys that were not taken, with their items."""
        for key, packed in self._items.items():
            yield key, _stored(packed)


def key_text(value: Value) -> str | None:
    """A key as text, trimmed and never case-folded; None when blank."""
    if value is None:
        return None
    text = value.strip() if isinstance(value, str) else encode_value(value)[2:]
    return text or None


def _stored(packed: bytes | list[bytes]) -> list[Stored]:
    return [_unpack(one) for one in (packed if isinstance(packed, list) else [packed])]


def _unpack(packed: bytes) -> Stored:
    item_id, version, *texts = packed.decode().split(_MARK)
    return Stored(int(item_id), version, tuple(texts))
