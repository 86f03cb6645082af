"""A world in which customers are created."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.creations import environment
from tests.support.world import World


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with World(tmp_path_factory.mktemp("creating"), patient=False) as made:
        made.set_up()
        made.snapshot()
        yield made


@pytest.fixture
def world(made: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """As it was after setting up, with an empty store."""
    made.restore_all()
    made.commands_here(monkeypatch, tmp_path, **environment())
    yield made
    made.economic_app.state.switches.reset()
    made.economic_app.state.faults.clear()


@pytest.fixture
def new_world(tmp_path: Path) -> Iterator[World]:
    """One that takes snapshots of its own."""
    with World(tmp_path, patient=False) as made:
        made.set_up()
        yield made
