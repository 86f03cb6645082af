"""A running SharePoint emulator per test."""

from collections.abc import Iterator

import pytest
from emu_sharepoint_kit import Emulator, serve


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    """An empty site without a unit budget."""
    yield from serve()
