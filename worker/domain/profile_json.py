"""JSON as people type it into a list or a file, and JSON as we write it for them.

Browsers and editors leave marks that no eye sees: a byte-order mark, zero-width characters, blanks that do not break.
They are read as what they look like. What can't be read is answered with line and column; a name that stands twice in
one object is a mistake too, where the standard library would silently keep the last.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

_INVISIBLE = {ord("\ufeff"): None, ord("\u200b"): None, ord("\u2060"): None, ord("\u00a0"): " ", ord("\u202f"): " "}
_CURLY = frozenset("“”„‟«»‘’")


def read_json(text: str) -> tuple[Any, list[str]]:
    """The data, None when it can't be read; and what is wrong, in sentences."""
    wrong: list[str] = []

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        names = [name for name, _ in pairs]
        wrong.extend(f"'{shown(name)}' stands twice in one object." for name in _doubles(names))
        return dict(pairs)

    try:
        data = json.loads(text.translate(_INVISIBLE), object_pairs_hook=once, parse_constant=_refuse)
    except json.JSONDecodeError as error:
        return None, [*wrong, _unreadable(error, text)]
    except RecursionError:
        return None, ["is not readable JSON: brackets are nested too deeply."]
    except ValueError:  # NaN and Infinity, or a number with thousands of digits
        return None, ["is not readable JSON: it holds a number that JSON does not have."]
    return data, wrong


def rule_lines(rules: Sequence[dict[str, Any]], indent: str = "") -> str:
    """A JSON list with one rule per line: a person reads and edits this in a list form."""
    body = ",\n".join(f"{indent}  {json.dumps(rule, ensure_ascii=False)}" for rule in rules)
    return f"[\n{body}\n{indent}]"


def shown(value: object) -> str:
    """What a person typed, safe and short enough to repeat in a message."""
    text = " ".join("".join(mark if mark.isprintable() else " " for mark in str(value)).split())
    return text if len(text) <= 60 else f"{text[:59]}…"


def _refuse(constant: str) -> Any:
    raise ValueError(constant)


def _doubles(names: Sequence[str]) -> list[str]:
    return sorted({name for name in names if names.count(name) > 1})


def _unreadable(error: json.JSONDecodeError, text: str) -> str:
    hint = ' Use straight quotes (") instead of curly ones.' if _CURLY & set(text) else ""
    return f"is not readable JSON: {error.msg} at line {error.lineno}, column {error.colno}.{hint}"
