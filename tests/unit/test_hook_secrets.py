"""How long a read of the secret store is believed."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from tests.support.hosting import KeptSecrets
from worker.errors import UnavailableError
from worker.wiring.hooks import HookSecrets


@dataclass
class Vault(KeptSecrets):
    """Counts reads; `down`: it fails."""

    reads: int = 0
    down: bool = False
    now: float = field(default=0.0)

    def read(self, name: str) -> str | None:
        self.reads += 1
        if self.down:
            raise UnavailableError("The vault did not answer.")
        return super().read(name)


@pytest.fixture
def vault() -> Vault:
    return Vault()


def secrets_of(vault: Vault) -> HookSecrets:
    return HookSecrets(vault, ("default",), lambda: vault.now)


def test_a_secret_made_by_another_process_is_known_in_seconds(vault):
    here, other = secrets_of(vault), secrets_of(vault)
    assert here.of("default") is None
    made = other.make("default")
    vault.now += 2.1
    assert here.connection(made) == "default"


def test_strangers_do_not_make_a_store_that_is_down_be_asked_each_time(vault):
    """And it is asked again soon."""
    vault.down = True
    here = secrets_of(vault)
    for _ in range(50):
        with pytest.raises(UnavailableError):
            here.connection("guess")
    assert vault.reads == 1
    vault.down = False
    vault.now += 5.1
    assert here.connection("guess") is None
    assert vault.reads == 2


def test_a_secret_is_read_once_a_minute(vault):
    here = secrets_of(vault)
    made = here.make("default")
    vault.reads = 0
    for _ in range(50):
        assert here.connection(made) == "default"
        vault.now += 1
    assert vault.reads == 0
    vault.now += 11
    assert here.connection(made) == "default"
    assert vault.reads == 1
