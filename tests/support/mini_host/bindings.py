"""What the worker reports about its functions, and app settings in it, resolved as the host does."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

_SETTING = re.compile(r"%([^%]+)%")
_HTTP, _TIMER, _QUEUE = "httpTrigger", "timerTrigger", "queueTrigger"
_KNOWN = frozenset({_HTTP, _TIMER, _QUEUE, "http"})


class HostError(Exception):
    """The app can't be started; the text is what the host would log."""


@dataclass(frozen=True)
class Function:
    """One function with its bindings, settings resolved."""

    function_id: str
    name: str
    bindings: Sequence[Mapping[str, Any]]

    @property
    def trigger(self) -> Mapping[str, Any]:
        return next(one for one in self.bindings if str(one["type"]).endswith("Trigger"))

    @property
    def kind(self) -> str:
        """http, timer or queue."""
        return str(self.trigger["type"]).removesuffix("Trigger")


def read_functions(reported: Sequence[Mapping[str, Any]], settings: Mapping[str, str]) -> list[Function]:
    """Raises HostError for what the host would refuse: nothing found, a name twice, a setting that is not there."""
    if not reported:
        raise HostError("No job functions found.")
    functions = [_function(one, settings) for one in reported]
    twice = [name for name, count in Counter(one.name.casefold() for one in functions).items() if count > 1]
    if twice:
        raise HostError(f"The function name '{twice[0]}' must be unique.")
    return functions


def _function(reported: Mapping[str, Any], settings: Mapping[str, str]) -> Function:
    bindings = [json.loads(_resolved(text, settings)) for text in reported["bindings"]]
    unknown = [one["type"] for one in bindings if one["type"] not in _KNOWN]
    if unknown:
        raise HostError(f"This stand-in knows no binding of the type '{unknown[0]}'.")
    for binding in bindings:
        prefix = binding.get("connection")
        if prefix and not any(name == prefix or name.startswith(f"{prefix}__") for name in settings):
            raise HostError(f"Function '{reported['name']}': the connection '{prefix}' is not set.")
    return Function(reported["id"], reported["name"], bindings)


def _resolved(text: str, settings: Mapping[str, str]) -> str:
    def value(match: re.Match[str]) -> str:
        if match[1] not in settings:
            raise HostError(f"'%{match[1]}%' does not resolve to a value.")
        return settings[match[1]]

    return _SETTING.sub(value, text)
