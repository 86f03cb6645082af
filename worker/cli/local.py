"""Both emulators, made from options. Needs the extra [emulators]; import it only where they are asked for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from worker.emulators.common.faults import Faults
from worker.emulators.common.switches import Switches
from worker.emulators.dataset import Dataset, generate
from worker.emulators.economic.app import EconomicApp
from worker.emulators.economic.app import create_app as economic_app
from worker.emulators.economic.options import EconomicOptions
from worker.emulators.economic.store import EconomicStore
from worker.emulators.sharepoint.app import SharePointApp
from worker.emulators.sharepoint.app import create_app as sharepoint_app
from worker.emulators.sharepoint.options import SharePointOptions
from worker.emulators.sharepoint.store import SharePointStore
from worker.errors import ConfigError, Problem

ECONOMIC_PORT = 8810
SHAREPOINT_PORT = 8820
ZONE = ZoneInfo("Europe/Copenhagen")
_HINT = "See: economic-sync emulate --help"


@dataclass(frozen=True, slots=True)
class LocalOptions:
    """What both emulators are started with. `units_per_minute` 0 = no limit."""

    data: Path
    size: str = "small"
    seed: int = 1
    load: Path | None = None
    latency_ms: float = 0.0
    token: str = "test-token"  # noqa: S105  # good on loopback only
    units_per_minute: int = 1250
    today: Callable[[], date] | None = None


class Local:
    """The two apps and their stores; `close` ends the stores."""

    def __init__(self, options: LocalOptions) -> None:
        options.data.mkdir(parents=True, exist_ok=True)
        today = options.today or _today
        self.economic_store = EconomicStore(options.data / "economic.sqlite")
        self.sharepoint_store = SharePointStore(options.data / "sharepoint.sqlite")
        self.dataset: Dataset | None = None
        if self.economic_store.is_empty():
            self.dataset = self._fill(options, today())
        self.economic: EconomicApp = economic_app(
            self.economic_store,
            options=EconomicOptions(grant_token=options.token, latency_ms=options.latency_ms, today=today),
        )
        self.sharepoint: SharePointApp = sharepoint_app(
            self.sharepoint_store,
            options=SharePointOptions(
                token=options.token, latency_ms=options.latency_ms, ru_per_minute=options.units_per_minute
            ),
        )

    def close(self) -> None:
        """Closes both databases."""
        self.economic_store.close()
        self.sharepoint_store.close()

    def set_faults(self, texts: Sequence[str]) -> None:
        """NAME=RATE; each on every service that knows the name. Raises ConfigError naming what is known."""
        parts: list[Faults] = [self.economic.state.faults, self.sharepoint.state.faults]
        for text in texts:
            name = text.partition("=")[0].strip()
            knowing = [faults for faults in parts if name in faults.known]
            if not knowing:
                known = sorted(parts[0].known | parts[1].known)
                raise ConfigError([Problem(f"--fault {text}", "is not a known fault.", tuple(known))], hint=_HINT)
            for faults in knowing:
                _checked(f"--fault {text}", lambda faults=faults, text=text: faults.parse([text]))  # type: ignore[misc]

    def set_switches(self, texts: Sequence[str]) -> None:
        """NAME=VALUE; on the service that has the switch. Raises ConfigError naming what is known."""
        parts: list[Switches] = [self.economic.state.switches, self.sharepoint.state.switches]
        for text in texts:
            name, _, value = text.partition("=")
            knowing = [switches for switches in parts if name.strip() in switches.as_dict()]
            if not knowing:
                known = sorted({*parts[0].as_dict(), *parts[1].as_dict()})
                raise ConfigError([Problem(f"--switch {text}", "is not a known switch.", tuple(known))], hint=_HINT)
            for switches in knowing:
                _checked(
                    f"--switch {text}",
                    lambda switches=switches, name=name, value=value: switches.set(name.strip(), value.strip()),  # type: ignore[misc]
                )

    def _fill(self, options: LocalOptions, today: date) -> Dataset | None:
        try:
            if options.load is not None:
                self.economic_store.load_recordings(options.load)
                return None
            dataset = generate(options.size, options.seed, today)
            self.economic_store.load(dataset)
        except (OSError, ValueError) as error:
            self.close()
            raise ConfigError([Problem("data set", f"{error}.")], hint=_HINT) from None
        return dataset


def _today() -> date:
    return datetime.now(UTC).astimezone(ZONE).date()


def _checked(where: str, act: Callable[[], None]) -> None:
    try:
        act()
    except ValueError as error:
        raise ConfigError([Problem(where, f"{error}.")], hint=_HINT) from None
