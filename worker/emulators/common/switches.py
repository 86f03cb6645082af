"""Switches: one for every behaviour of the real service that its reference calls unconfirmed.

A client that survives both positions of each switch needs no luck on its first day against the real service.
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Switch:
    """One unconfirmed behaviour: `values` (the first is the default) and what they mean, with the source."""

    values: tuple[str, ...]
    meaning: str

    @property
    def default(self) -> str:
        return self.values[0]


class Switches:
    """The positions of an emulator's switches, each at its default until set."""

    def __init__(self, known: Mapping[str, Switch]) -> None:
        self._known = dict(known)
        self._positions = {name: switch.default for name, switch in self._known.items()}

    def get(self, name: str) -> str:
        """The position of `name`; KeyError for a switch that does not exist."""
        return self._positions[name]

    def set(self, name: str, value: str) -> None:
        """Put `name` to `value`; ValueError names the switches or the allowed values."""
        if name not in self._known:
            raise ValueError(f"unknown switch {name!r}; the switches are {', '.join(sorted(self._known))}")
        if value not in self._known[name].values:
            allowed = ", ".join(self._known[name].values)
            raise ValueError(f"switch {name!r} cannot be {value!r}; allowed: {allowed}")
        self._positions[name] = value

    def reset(self) -> None:
        """Put every switch back to its default."""
        self._positions = {name: switch.default for name, switch in self._known.items()}

    def as_dict(self) -> dict[str, dict[str, object]]:
        """Every switch with `value`, `allowed`, `default` and `meaning`."""
        return {
            name: {
                "value": self._positions[name],
                "allowed": list(switch.values),
                "default": switch.default,
                "meaning": switch.meaning,
            }
            for name, switch in self._known.items()
        }
