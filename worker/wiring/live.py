"""Settings as they are now: what stands in variables and files, and over it what administrators typed in the console.

The console's part is a record in the store, so that every process of an installation, commands included, works with
the same. Its secrets are not in the record: they go to the secret store, and the record only says that there is one.
"""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from worker.errors import ConfigError, NotFoundError, Problem
from worker.ports import Records, Secrets
from worker.settings import Installation, Settings

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Own:
    """What was typed in the console for one connection; blank = as the variables and files say, but in `create`.

    `lists`: target (companies, contacts, ...) -> title or address of the list on the site. `token_saved`: when the
    grant token was stored (ISO, UTC). `financial_year_start` is MM-DD. `create`: setting of the group CREATE -> value;
    one that is there wins, None too.
    """

    site_url: str = ""
    lists: Mapping[str, str] = field(default_factory=dict)
    agreement: int | None = None
    financial_year_start: str = ""
    token_saved: str = ""
    create: Mapping[str, Any] = field(default_factory=dict)

    def groups(self, grant_token: str | None) -> dict[str, dict[str, Any]]:
        """As values of the settings' groups."""
        wanted: dict[str, dict[str, Any]] = {
            "economic": {"grant_token": grant_token, "agreement": self.agreement},
            "sharepoint": {"site_url": self.site_url, "lists": dict(self.lists)},
            "sync": {"financial_year_start": self.financial_year_start},
        }
        typed = {
            group: {name: value for name, value in values.items() if value not in (None, "", {})}
            for group, values in wanted.items()
        }
        return {**typed, "create": dict(self.create)}


class LiveSettings:
    """The settings of each connection, read again when somebody changed them. Thread-safe."""

    def __init__(self, installation: Installation, records: Records, secrets: Secrets) -> None:
        self.installation = installation
        self._records = records
        self._secrets = secrets
        self._lock = threading.Lock()
        self._made: dict[str, tuple[str | None, Settings | ConfigError]] = {}

    @property
    def names(self) -> tuple[str, ...]:
        """All connections, also those whose settings are wrong, so that a person sees what is wrong."""
        return (*self.installation.connections, *self.installation.broken)

    def of(self, connection: str) -> Settings:
        """Raises ConfigError when its settings are wrong, NotFoundError when there is no such connection."""
        if connection not in self.names:
            raise NotFoundError(f"There is no connection '{connection}'.", hint=f"There are: {', '.join(self.names)}")
        own, version = self.own(connection)
        with self._lock:
            known = self._made.get(connection)
            if known is None or known[0] != version:
                known = self._made[connection] = (version, self._make(connection, own))
        if isinstance(known[1], ConfigError):
            raise known[1]
        return known[1]

    def own(self, connection: str) -> tuple[Own, str | None]:
        """What the console holds, with the version to change it by."""
        record = self._records.read(_name(connection))
        if record is None:
            return Own(), None
        try:
            return Own(**json.loads(record.content)), record.version
        except (ValueError, TypeError):
            log.warning("the console's settings are damaged connection=%s; they count as nothing", connection)
            return Own(), record.version

    def check(self, connection: str, own: Own) -> Settings:
        """The settings as they would be. Raises ConfigError with everything that is wrong."""
        token = self._secrets.read(_token_name(connection)) if own.token_saved else None
        return self.installation.connection(connection, own.groups(token))

    def change(self, connection: str, own: Own, version: str | None) -> None:
        """Saves what was typed. Raises ConflictError when somebody else saved meanwhile."""
        self._records.write(_name(connection), json.dumps(asdict(own)).encode(), version)

    def save_token(self, connection: str, token: str, moment: str) -> None:
        """Puts a grant token in the secret store; from now on it is the one that is used."""
        if not token or not token.isprintable() or len(token) > 500:
            raise ConfigError(
                [Problem("Grant token", "is not a grant token.")], hint="Paste it once more, without blanks."
            )
        self._secrets.write(_token_name(connection), token)
        own, version = self.own(connection)
        self.change(connection, replace(own, token_saved=moment), version)

    def _make(self, connection: str, own: Own) -> Settings | ConfigError:
        try:
            return self.check(connection, own)
        except ConfigError as error:
            return error


def _name(connection: str) -> str:
    return f"settings/{connection}"


def _token_name(connection: str) -> str:
    return f"CONSOLE_{connection.upper().replace('-', '_')}_GRANT_TOKEN"
