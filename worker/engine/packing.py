"""Lines of JSON, compressed, with a hash that proves them unaltered."""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Iterable, Iterator
from typing import Any

_PIECE = 1 << 16


def pack(rows: Iterable[Any]) -> bytes:
    """One JSON text per line, compressed as it comes, so that memory stays flat."""
    squeeze = zlib.compressobj(6)
    parts = [
        squeeze.compress(json.dumps(row, ensure_ascii=False, separators=(",", ":")).encode() + b"\n") for row in rows
    ]
    return b"".join([*parts, squeeze.flush()])


def unpack(content: bytes) -> Iterator[Any]:
    """The rows. Raises ValueError when the content is damaged or was cut short."""
    expand = zlib.decompressobj()
    rest = b""
    for start in range(0, len(content), _PIECE):
        try:
            rest += expand.decompress(content[start : start + _PIECE])
        except zlib.error as error:
            raise ValueError("damaged") from error
        *lines, rest = rest.split(b"\n")
        yield from map(json.loads, lines)
    if rest or not expand.eof:
        raise ValueError("cut short")


def fingerprint(content: bytes) -> str:
    """SHA-256."""
    return hashlib.sha256(content).hexdigest()
