"""What is known about who is who beside the data: webhooks' words and people's decisions, from the store."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any

from worker.domain.renumbering import Party, Said
from worker.engine.hints import HintBook
from worker.engine.json_record import JsonRecord
from worker.ports import Records
from worker.wiring.decisions import DecisionBook


class RenumberBook:
    """One connection's decisions. Thread- and process-safe, as the store is."""

    def __init__(self, records: Records, connection: str) -> None:
        self._hints = HintBook(records, connection)
        self._links = DecisionBook(records, connection)
        self._record = JsonRecord(records, f"renumbered/{connection}", Said(), _load, _dump)

    def said(self) -> Said:
        """A damaged record counts as none: the worst is that a pair is offered again."""
        told = {old: str(new) for old, new in self._hints.read().renumbered.items()}
        decided = self._record.read()
        return replace(decided, told=told, apart=self._links.read().refused)

    def accept(self, old: int | str, customer: Party) -> None:
        """A person's yes: this customer's number was changed. The next run gives company and rows the new one. The old
        one may be any text, as people type it into companies. Of one number twice the customer is kept as it is now:
        the yes is good for that one only."""
        pair = (str(old), customer.number)

        def accepted(one: Said) -> Said:
            seen = {**one.seen, pair[0]: customer} if pair[0] == pair[1] else one.seen
            return Said({}, {**one.accepted, pair[0]: pair[1]}, one.refused - {pair}, seen=seen)

        self._record.change(accepted)

    def refuse(self, old: int | str, new: int) -> None:
        """A person's no: these are two customers."""
        pair = (str(old), str(new))

        def refused(one: Said) -> Said:
            kept = {before: after for before, after in one.accepted.items() if (before, after) != pair}
            seen = {number: party for number, party in one.seen.items() if (number, number) != pair}
            return Said({}, kept, one.refused | {pair}, seen=seen)

        self._record.change(refused)


def _load(data: Any) -> Said:
    accepted = {str(old): str(new) for old, new in data["accepted"].items()}
    seen = {str(number): Party(**fields) for number, fields in data.get("seen", {}).items()}
    return Said({}, accepted, frozenset((str(a), str(b)) for a, b in data["refused"]), seen=seen)


def _dump(said: Said) -> dict[str, Any]:
    seen = {number: asdict(party) for number, party in said.seen.items()}
    return {"accepted": dict(said.accepted), "refused": sorted(map(list, said.refused)), "seen": seen}
