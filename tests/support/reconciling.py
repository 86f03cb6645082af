"""Both systems after a first load, and what a comparison of them finds."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.support.world import World
from worker.sync.reconcile_report import Report
from worker.wiring.reconciling import reconcile


@contextmanager
def loaded(folder: Path, size: str = "small") -> Iterator[World]:
    """After a first load; `restore` goes back to there."""
    with World(folder, size, patient=False) as made:
        made.set_up()
        made.run()
        made.snapshot()
        yield made


def compared(world: World, **sync: Any) -> Report:
    """`sync`: settings of that group."""
    with world.app(world.settings(**sync)) as app:
        return reconcile(app)
