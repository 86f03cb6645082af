"""After the demo: where to look, and commands to try on the same data."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from worker.cli.demo_console import Console
from worker.settings import CreateSettings

TOKEN = "test-token"  # noqa: S105  # the emulators' well-known value, good on loopback only
APP_SECRET = "test-app-secret"  # noqa: S105  # likewise


def create_settings() -> CreateSettings:
    """The demo's rules for customers that are created from the CRM."""
    return CreateSettings(
        allow=True,
        group="1",
        payment_terms="1",
        vat_zone="1",
        currency="DKK",
        number_first=5001,
        number_last=5999,
    )


@dataclass(frozen=True, slots=True)
class After:
    """What is left of a demo: its data, where its services answer (again), its last day, a customer to look at, and the
    item of a company that e-conomic does not have yet."""

    data: Path
    economic: str
    site: str
    today: date
    someone: str
    console: Console | None
    company: int | None = None

    @property
    def home(self) -> Path:
        """Where a worker for these services is at home: settings, lock file."""
        return worker_home(self.data)

    def lines(self) -> Iterator[str]:
        """What to type and to open."""
        command = _command()
        if self.console is None:
            yield "Start both services again, with this data; or `make demo KEEP=1` leaves all of it serving:"
            yield f"    {command} emulate --data {self.data}"
        else:
            yield "The console, signed in once within 15 minutes (later: economic-sync login-link, from there):"
            yield f"    {self.console.link}"
            yield "An economy card, once you are signed in:"
            yield f"    {self.console.card(self.someone)}"
        yield "The lists as pages, in a browser:"
        yield f"    {self.site}"
        yield f"Commands to try, from the directory {self.home} (the file .env there leads to these services):"
        for words in ("check", "plan", f"explain {self.someone}", "runs", "serve"):
            yield f"    {command} {words}"
        if self.company is not None:
            yield "A company that somebody typed is not in e-conomic yet; make it a customer there:"
            yield f"    {command} create-customer {self.company}"
        yield "Going live: README.md, section 'Going live, step by step'"

    def write_settings(self) -> None:
        """A `.env` for a worker on these services; nothing in it is a secret."""
        values = {
            "ECONOMIC_APP_SECRET": APP_SECRET,
            "ECONOMIC_GRANT_TOKEN": TOKEN,
            "ECONOMIC_BASE_URL": self.economic,
            "ECONOMIC_OPENAPI_URL": self.economic,
            "SHAREPOINT_SITE_URL": self.site,
            "SHAREPOINT_AUTH": "static-token",
            "SHAREPOINT_TOKEN": TOKEN,
            "SYNC_AS_OF": self.today.isoformat(),
            "SYNC_DATA_DIR": ".",
        }
        rules = create_settings().model_dump(exclude_defaults=True)
        values |= {f"CREATE_{name.upper()}": str(value) for name, value in rules.items()}
        if self.console is not None:
            values |= {
                "ENGINE_PORT": self.console.address.rpartition(":")[2],
                "ENGINE_PUBLIC_URL": self.console.address,
            }
        self.home.mkdir(parents=True, exist_ok=True)
        text = "".join(f"{name}={value}\n" for name, value in values.items())
        (self.home / ".env").write_text(text, encoding="utf-8")


def worker_home(data: Path) -> Path:
    """The worker's own directory beside the emulators' data."""
    return data / "worker"


def _command() -> str:
    """How this command was called, good from any directory."""
    called = Path(sys.argv[0])
    return str(called.absolute()) if called.stem == "economic-sync" and called.parent != Path() else "economic-sync"
