"""One provisioned SharePoint site per module; each test finds it as new."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from target_worlds import EmulatorSiteWorld, FakeSiteWorld, SiteWorld


@pytest.fixture(scope="module")
def served_site() -> Iterator[EmulatorSiteWorld]:
    """The emulator, started once."""
    with EmulatorSiteWorld() as world:
        yield world


@pytest.fixture
def crm(served_site: EmulatorSiteWorld) -> EmulatorSiteWorld:
    """The adapter over the emulator, provisioned and empty."""
    return served_site.fresh()


@pytest.fixture(params=["fake", "emulator"])
def site_world(request: pytest.FixtureRequest) -> SiteWorld:
    """Either site, provisioned and empty."""
    if request.param == "fake":
        return FakeSiteWorld()
    world: EmulatorSiteWorld = request.getfixturevalue("crm")
    return world
