"""When errands with a schedule of their own were due last: one record for each connection, changed by compare-and-swap.

An errand's moment is noted as sent only after its message is in the queue, so a process that dies in between loses
nothing: the next look sends it again. What is worked is noted too, so that a message too many is dropped.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

from worker.domain.schedule import last_due
from worker.engine.json_record import JsonRecord
from worker.ports import Records


@dataclass(frozen=True, slots=True)
class _Known:
    """Of one errand, all but the first ISO moments, "" = none. `since`: up to when everything due was sent; `done`: up
    to when it was worked; `told`: the last moment of which people heard that it could not be worked."""

    schedule: str = ""
    since: str = ""
    done: str = ""
    told: str = ""


_Every = Mapping[str, _Known]  # by errand


class FiredBook:
    """Thread- and process-safe, as the store is."""

    def __init__(self, records: Records, connection: str) -> None:
        self._record: JsonRecord[_Every] = JsonRecord(records, f"fired/{connection}", {}, _load, _dump)

    def due(self, errand: str, schedule: str, zone: str, now: datetime) -> str:
        """The schedule's latest moment that was not sent yet, ISO; "" when there is none. A schedule that is new or was
        changed waits for its next moment; after a long rest only the latest moment is due."""
        text = f"{schedule} {zone}"
        known = self._known(errand)
        if known.schedule != text:
            self._change(errand, lambda one: replace(one, schedule=text, since=now.isoformat()))
            return ""
        moment = last_due(schedule, zone, now)
        return "" if moment is None or not _is_after(moment.isoformat(), known.since) else moment.isoformat()

    def is_news(self, errand: str, schedule: str, zone: str, now: datetime) -> bool:
        """Whether this schedule, which can't be used, is seen for the first time; true for one caller."""
        text, news = f"{schedule} {zone}", False

        def change(one: _Known) -> _Known:
            nonlocal news
            news = one.schedule != text
            return replace(one, schedule=text, since=now.isoformat()) if news else one

        if self._known(errand).schedule != text:
            self._change(errand, change)
        return news

    def sent(self, errand: str, moment: str) -> None:
        """Its message is in the queue."""
        self._change(errand, lambda one: replace(one, since=_later(one.since, moment)))

    def is_done(self, errand: str, moment: str) -> bool:
        """Whether this moment or a later one was worked."""
        return not _is_after(moment, self._known(errand).done)

    def done(self, errand: str, moment: str) -> None:
        """It was worked."""
        self._change(errand, lambda one: replace(one, done=_later(one.done, moment)))

    def is_told(self, errand: str, moment: str) -> bool:
        """Whether people heard that it could not be worked."""
        return self._known(errand).told == moment

    def told(self, errand: str, moment: str) -> None:
        """They did."""
        self._change(errand, lambda one: replace(one, told=moment))

    def _known(self, errand: str) -> _Known:
        return self._record.read().get(errand, _Known())

    def _change(self, errand: str, change: Callable[[_Known], _Known]) -> None:
        self._record.change(lambda every: {**every, errand: change(every.get(errand, _Known()))})


def _load(data: Any) -> _Every:
    found = {str(name): _Known(**one) for name, one in data.items()}
    for one in found.values():
        _ = [datetime.fromisoformat(moment) for moment in (one.since, one.done) if moment]
    return found


def _dump(every: _Every) -> dict[str, Any]:
    return {name: asdict(one) for name, one in every.items()}


def _is_after(moment: str, other: str) -> bool:
    return not other or datetime.fromisoformat(moment) > datetime.fromisoformat(other)


def _later(known: str, moment: str) -> str:
    return moment if _is_after(moment, known) else known
