"""Telling our formatting from people's: a digest of the whole, kept as one more class of its outermost element. Pure.

What the worker wrote, and nobody has changed since, is known by itself: in any version, language, or with any address,
and without a memory beside the site. A class is the one place for that: it is part of what is shown, so it comes back,
while a comment is not in the published schema and may be dropped. SharePoint may write the JSON in other words (order
of keys, blanks), so the digest is over the value, not the text.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from enum import Enum
from typing import Any

_MARK = re.compile(r"\beconomic-sync-[0-9a-f]{16}\b")
_OPEN = "economic-sync-" + "0" * 16


class Origin(Enum):
    """Whose a formatting text is."""

    NOBODY = "nobody"
    OURS = "ours"
    PEOPLE = "people"


def signed(document: Mapping[str, Any], element: dict[str, Any]) -> str:
    """`document` as JSON text with our mark on `element`, an element of it; its class, if any, is plain text."""
    attributes = element.setdefault("attributes", {})
    attributes["class"] = f"{attributes.get('class', '')} {_OPEN}".strip()
    text = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
    return text.replace(_OPEN, f"economic-sync-{_digest(document)}")


def origin_of(text: str | None) -> Origin:
    """Whose the text is: ours only when exactly one mark stands in it and fits everything else."""
    if not text or not text.strip():
        return Origin.NOBODY
    value = _read(text)
    marks = _MARK.findall(text)
    if value is None or len(marks) != 1:
        return Origin.PEOPLE
    unsigned = json.loads(text.replace(marks[0], _OPEN))
    return Origin.OURS if marks[0] == f"economic-sync-{_digest(unsigned)}" else Origin.PEOPLE


def same_value(one: str | None, other: str) -> bool:
    """Whether both texts are the same JSON value."""
    return bool(one) and _read(one or "") == _read(other)


def _read(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None


def _digest(document: Any) -> str:
    text = json.dumps(document, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:16]
