"""What most system tests start from; a module that starts elsewhere has fixtures of its own by these names."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.world import World


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Both sides after a first load."""
    with World(tmp_path_factory.mktemp("loaded"), patient=False) as world:
        world.set_up()
        world.run()
        world.snapshot()
        yield world


@pytest.fixture
def world(made: World) -> World:
    """As they were then, with nothing that a worker kept."""
    made.restore_all()
    return made


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Both sides set up, and before any run."""
    with World(tmp_path_factory.mktemp("bare"), patient=False) as world:
        world.set_up()
        world.snapshot()
        yield world
