"""Jobs over the customers of a world, workers that may die over them, and the undoing of both."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from tests.support.hosting import make_host, work_all
from tests.support.mortal import Killed
from tests.support.world import World
from worker.domain.report import RunMode, Trigger
from worker.engine.terms import StartRequest
from worker.ports import Stores
from worker.sync.undo_plan import Undo, Undone
from worker.wiring.undoing import Choice, apply_undo


def company(world: World, number: int) -> dict[str, Any]:
    """The one that carries this number."""
    return next(row for row in world.rows("Companies") if row["CustomerID"] == str(number))


def job(world: World, stores: Stores) -> str:
    """Asked for and not begun; the id of its only run."""
    host = make_host({"default": world}, stores, world.clock)
    ask = StartRequest("default", ("Customers",), mode=RunMode.APPLY, trigger=Trigger.MANUAL, override_brake=True)
    return host.engine.start(ask)[0].job_id


def works(world: World, stores: Stores) -> None:
    """A worker, until all is done or it is dead."""
    host = make_host({"default": world}, stores, world.clock)
    with suppress(Killed):
        work_all(host)
    host.stop.set()


def dies() -> None:
    """At the chosen request."""
    raise Killed


def undoes(world: World, stores: Stores, run: str, **choice: Any) -> list[tuple[Undo, Undone]]:
    """As a person does on the page; the brake may be passed."""
    with make_host({"default": world}, stores, world.clock).open("default") as app:
        return apply_undo(app, stores, Choice(run, **choice), override_brake=True)
