"""One small set for all tests that only read it."""

from datetime import date

import pytest

from worker.emulators.dataset import Dataset, generate


@pytest.fixture(scope="session")
def small() -> Dataset:
    return generate("small", 1, date(2026, 11, 25))
