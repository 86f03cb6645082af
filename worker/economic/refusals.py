"""What e-conomic says about a body it refused, by property. Pure.

Two shapes of validation errors are known (live and documented); schema errors come as a plain list of texts, or among
the former; the newer services send a list of objects. All are read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any


def refusal_words(body: Mapping[str, Any]) -> str:
    """Each property with its text, else the answer's own message."""
    texts = list(dict.fromkeys(_texts(body.get("errors"))))
    message = body.get("message")
    return "; ".join(texts) or (message if isinstance(message, str) else "")


def _texts(errors: object) -> Iterator[str]:
    if isinstance(errors, list):
        for one in errors:
            text = one.get("message") if isinstance(one, Mapping) else one  # newer services: objects with a message
            if isinstance(text, str):
                yield text
    elif isinstance(errors, Mapping):
        for name, found in errors.items():
            inner = found.get("errors") if isinstance(found, Mapping) else None
            for one in inner if isinstance(inner, list) else ():
                text = one.get("errorMessage") or one.get("message") if isinstance(one, Mapping) else None
                if isinstance(text, str):
                    yield text if str(name).casefold() in text.casefold() else f"{name}: {text}"
