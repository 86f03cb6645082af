"""A world in which customers are created."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.creations import environment
from tests.support.world import World


@pytest.fixture
def world(bare: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """As it was after setting up, with an empty store."""
    bare.restore_all()
    bare.commands_here(monkeypatch, tmp_path, **environment())
    yield bare
    bare.economic_app.state.switches.reset()
    bare.economic_app.state.faults.clear()


@pytest.fixture
def new_world(tmp_path: Path) -> Iterator[World]:
    """One that takes snapshots of its own."""
    with World(tmp_path, patient=False) as made:
        made.set_up()
        yield made
