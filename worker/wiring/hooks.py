"""Webhooks towards us: their addresses and secrets, and setting them up on both sides.

A hook's address holds a secret, since e-conomic signs nothing. It is made at the first set-up, lives in the secret
store alone, and is never shown; only the two services are told it.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from worker.economic.hooks import EconomicHooks
from worker.errors import ConfigError, Problem, WorkerError
from worker.logs import also_mask
from worker.ports import ANY_VERSION, Clock, Records, Secrets
from worker.sharepoint.definitions import ListKey
from worker.sharepoint.subscriptions import ensure_subscription, is_due
from worker.transport import LOOPBACK
from worker.wiring.app import App, no_companies

log = logging.getLogger(__name__)
_COMPANIES: ListKey = "companies"
# Seconds for which a read of the secret store is believed. Short without a secret, since another process may make one;
# with an error just so long that strangers' calls do not each ask a store that is down.
_BELIEVED = 60.0
_BELIEVED_NONE = 2.0
_BELIEVED_ERROR = 5.0


@dataclass(frozen=True, slots=True)
class _Read:
    """What the store said, and until when that is believed."""

    until: float
    secret: str | None = None
    error: WorkerError | None = None


class HookSecrets:
    """One secret for each connection. Thread-safe. A read may take as long as the store does."""

    def __init__(self, store: Secrets, names: tuple[str, ...], timer: Callable[[], float] = time.monotonic) -> None:
        self._store = store
        self._names = names
        self._timer = timer
        self._lock = threading.Lock()
        self._read: dict[str, _Read] = {}

    def of(self, connection: str) -> str | None:
        """None until hooks are set up. Raises what the store does."""
        with self._lock:
            known = self._read.get(connection)
            if known is None or self._timer() > known.until:
                known = self._read[connection] = self._asked(connection)
        if known.error is not None:
            raise known.error.with_traceback(None)
        return known.secret

    def make(self, connection: str) -> str:
        """The connection's secret, made when there is none."""
        found = self._store.read(_secret_name(connection))
        if not found:
            found = secrets.token_urlsafe(32)
            self._store.write(_secret_name(connection), found)
        with self._lock:
            self._read[connection] = _Read(self._timer() + _BELIEVED, found)
        also_mask(found)
        return found

    def connection(self, secret: str) -> str | None:
        """Whose secret it is; None for a stranger's."""
        given = secret.encode()
        found = None
        for name in self._names:
            own = self.of(name)
            if own and hmac.compare_digest(own.encode(), given):
                found = name
        return found

    def _asked(self, connection: str) -> _Read:
        try:
            found = self._store.read(_secret_name(connection))
        except WorkerError as error:
            return _Read(self._timer() + _BELIEVED_ERROR, error=error)
        also_mask(found or "")
        return _Read(self._timer() + (_BELIEVED if found else _BELIEVED_NONE), found)


def client_state(secret: str) -> str:
    """What SharePoint sends back with each notice; does not give the secret away."""
    return hashlib.sha256(f"state:{secret}".encode()).hexdigest()[:40]


def check_public(public_url: str | None) -> str:
    """The address hooks are below. Raises ConfigError when nobody outside could call it."""
    parts = urlsplit(public_url or "")
    if not public_url:
        problem = Problem("ENGINE_PUBLIC_URL", "is not set, so e-conomic has no address to call.")
    elif parts.scheme != "https" and parts.hostname not in LOOPBACK:
        problem = Problem("ENGINE_PUBLIC_URL", "must start with https:// for webhooks.")
    else:
        return public_url.rstrip("/")
    raise ConfigError([problem], hint="Set it to the address the worker is reached at from outside, and try again.")


def economic_hooks(app: App, address: str) -> EconomicHooks:
    """The webhooks of a connection's agreement; `address` is where they should call."""
    economic, client = app.settings.economic, app.source.client
    return EconomicHooks(economic.openapi_url, economic.webhooksapi_version, client.http, client.rate, address)


def economic_address(public_url: str, secret: str) -> str:
    """Where e-conomic calls."""
    return f"{public_url}/hooks/economic/{secret}"


def sharepoint_address(public_url: str, secret: str) -> str:
    """Where SharePoint calls."""
    return f"{public_url}/hooks/sharepoint/{secret}"


class Subscriber:
    """Keeps the subscription on the companies' list alive. What it knows stands in a record, so that a look costs no
    request while there is nothing to do."""

    def __init__(self, records: Records, hook_secrets: HookSecrets, public_url: str | None, clock: Clock) -> None:
        self._records = records
        self._secrets = hook_secrets
        self.public = public_url or ""
        self._clock = clock

    def is_due(self, connection: str) -> bool:
        """Whether one must be made or renewed; never where nobody could call us, and not before hooks are set up."""
        try:
            check_public(self.public)
        except ConfigError:
            return False
        return self._secrets.of(connection) is not None and is_due(self.until(connection), self._clock.now())

    def until(self, connection: str) -> datetime | None:
        """Until when it lasts; None when there is none that we know of, or only one that calls an address we had
        before."""
        record = self._records.read(f"subscription/{connection}")
        try:
            data = json.loads(record.content) if record else {}
            return datetime.fromisoformat(data["until"]) if data.get("public") == self.public.rstrip("/") else None
        except (ValueError, TypeError, KeyError, AttributeError):
            return None

    def ensure(self, app: App) -> datetime:
        """Makes or renews it. Raises ConfigError, ProtocolError, AccessDeniedError."""
        name, public = app.settings.name, check_public(self.public)
        secret = self._secrets.make(name)
        info = app.site.find_list(_COMPANIES)
        if info is None:
            raise no_companies()
        address = sharepoint_address(public, secret)
        until = ensure_subscription(app.site.client, info, address, client_state(secret), self._clock.now())
        kept = json.dumps({"until": until.isoformat(), "public": public})
        self._records.write(f"subscription/{name}", kept.encode(), ANY_VERSION)
        log.info("subscription of the companies' list lasts connection=%s until=%s", name, until.isoformat())
        return until


def _secret_name(connection: str) -> str:
    return f"HOOK_{connection.upper().replace('-', '_')}"
