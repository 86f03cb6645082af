"""The items a target list holds, by key, packed small.

A list of 200,000 items must fit beside everything else in 300 MB, so an item is kept as one byte string of its
encoded values and looked at again only when something differs. Refused: a dict per item, at six times the memory.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
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
        packed = self._items.pop(key, None)
        if packed is None:
            return []
        return [_unpack(one) for one in (packed if isinstance(packed, list) else [packed])]

    def rest(self) -> Iterator[tuple[str, list[Stored]]]:
        """Keys that were not taken, with their items."""
        for key, packed in self._items.items():
            yield key, [_unpack(one) for one in (packed if isinstance(packed, list) else [packed])]


def key_text(value: Value) -> str | None:
    """A key as text, trimmed and never case-folded; None when blank."""
    if value is None:
        return None
    text = value.strip() if isinstance(value, str) else encode_value(value)[2:]
    return text or None


def _unpack(packed: bytes) -> Stored:
    item_id, version, *texts = packed.decode().split(_MARK)
    return Stored(int(item_id), version, tuple(texts))
