"""The demo's last act: a customer made from the CRM, a changed number, a comparison, and a run taken back."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import requests

from worker.cli.demo_people import Person
from worker.ports import Records
from worker.sync.claims import State
from worker.sync.runner import SessionResult
from worker.sync.undo_plan import Ran
from worker.sync.undoing import Undoer
from worker.wiring import App
from worker.wiring.reconciling import StartedBy, reconcile_and_keep, summary

_COMPANY = {
    "Title": "Nordlys Elektronik ApS",
    "CINumber": "87654321",
    "Country": "Danmark",
    "EMail": "post@nordlys-elektronik.example",
    "CreateInEconomic": State.REQUESTED.value,
}


class BothWays:
    """Each act gives whether it went well, and a sentence."""

    def __init__(self, opened: Callable[[], App], person: Person, economic: str, records: Records) -> None:
        self._open = opened
        self._records = records
        self._person = person
        self._economic = economic

    def play(self) -> Iterator[tuple[bool, str]]:
        """In order; each rests on the one before."""
        yield from self._created()
        yield from self._renumbered()
        yield from self._taken_back()

    def _created(self) -> Iterator[tuple[bool, str]]:
        self._person.adds("Companies", _COMPANY)
        with self._open() as app:
            (made,) = app.creator().poll()
            again = app.creator().poll()
        name = _COMPANY["Title"]
        yield made.state == State.CREATED, f"'{name}', asked for in the CRM, is customer {made.number} in e-conomic"
        yield not again, "asked once more, nothing is made a second time"

    def _renumbered(self) -> Iterator[tuple[bool, str]]:
        company = self._person.finds("Companies", "Title", _COMPANY["Title"])
        old = int(company["CustomerID"])
        new = old + 900_000
        body = {"old": old, "new": new}
        requests.post(f"{self._economic}/_emulator/renumber", json=body, timeout=60).raise_for_status()
        with self._open() as app:
            _run(app)
        now = self._person.finds("Companies", "CustomerID", str(new))
        yield now["Id"] == company["Id"], f"e-conomic changed its number to {new}: the company is still the same item"

    def _taken_back(self) -> Iterator[tuple[bool, str]]:
        """The last run's part about companies: the number goes back, and the next run writes it again."""
        with self._open() as app:
            run_id = next(row.run_id for row in app.runs.recent() if row.profile == "Customers")
            kept = app.journal.read(run_id) if app.journal else None
            if kept is None or app.journal is None:
                yield False, f"nothing was kept of run {run_id}"
                return
            undoer = Undoer(app.site, app.today, app.stop, app.journal)
            (undo,) = undoer.plan([Ran(kept.run_id, kept.profile, kept.changes, kept.existing, kept.unsure)])
            done = undo.begun()
            undoer.apply(undo, app.new_run_id(), done)
            yield done.reverted > 0 and not done.failed, f"its run is taken back: {done.reverted} item set back by undo"
            yield _run(app).error is None, "and the next run writes it again"
            report = reconcile_and_keep(app, self._records, StartedBy.COMMAND)
        yield report.agrees, summary(report) or "a full comparison by independent counting: both systems say the same"


def _run(app: App) -> SessionResult:
    profiles = [row.profile for row in app.profiles.profiles() if row.profile is not None]
    with app.session(profiles, app.run_options()) as session:
        return session.run()
