"""The form with a connection's rules for new customers: what stands in it, and what is wrong with what was typed, in
the page's own words.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from worker.domain.render.values import plain
from worker.domain.sendable import SENDABLES
from worker.errors import ConfigError, Problem
from worker.settings import CreateSettings
from worker.web.forms import Form

_TEXTS = ("group", "payment_terms", "vat_zone", "currency", "number_first", "number_last")
_BOXES = ("allow", "without_cvr", "contact")
_NUMBER = re.compile(r"[0-9]{1,9}")


def rules_of(settings: CreateSettings, typed: Form | None) -> Mapping[str, Any]:
    """What the form shows: what stands, or what somebody typed that could not be saved."""
    if typed is not None:
        texts = {name: plain(typed.text(name)) for name in _TEXTS}
        return {**texts, **{name: typed.has(name) for name in _BOXES}, "send": typed.every("send")}
    values = {name: getattr(settings, name) for name in (*_TEXTS, *_BOXES)}
    return {**values, "send": [name for name in SENDABLES if name in settings.send.split(", ")]}


def typed_rules(form: Form) -> dict[str, Any]:
    """As they are kept: a blank one is None, so that it wins too. Raises ConfigError with everything that is wrong."""
    texts = {name: plain(form.text(name)) for name in _TEXTS}
    problems = list(_problems(texts))
    if problems:
        raise ConfigError(problems, hint="Correct it and save again.")
    send = ", ".join(name for name in SENDABLES if name in form.every("send"))
    kept = {name: text or None for name, text in texts.items()}
    return {**kept, **{name: form.has(name) for name in _BOXES}, "send": send}


def _problems(texts: Mapping[str, str]) -> Iterator[Problem]:
    first, last = texts["number_first"], texts["number_last"]
    if texts["currency"] and not re.fullmatch(r"[A-Za-z]{3}", texts["currency"]):
        yield Problem("Currency", "must be a code of three letters such as DKK.")
    wrong = [
        Problem(label, "must be a whole number from 1 to 999999999.")
        for label, text in (("First customer number", first), ("Last customer number", last))
        if text and not (_NUMBER.fullmatch(text) and int(text))
    ]
    yield from wrong
    if wrong:
        return
    if bool(first) != bool(last):
        yield Problem("Last customer number" if first else "First customer number", "is blank; a range needs both.")
    elif first and int(first) > int(last):
        yield Problem("First customer number", "must not be above the last one.")
