"""Who is asking, and what they may do.

Three ways in, and no fourth:

- the platform's sign-in (Azure's App Service authentication): its headers are believed only where the platform itself
  says that it is switched on; anywhere else anybody could send them, so they are ignored;
- the local server's own login link, good once, which starts a session in a cookie;
- a key for programs in the header `x-functions-key`. Never in the address: addresses end up in logs.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import json
import secrets
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from worker.errors import AccessDeniedError, AuthenticationError
from worker.web.links import Links

LOCAL = "local administrator"  # who signs in by the printed link
COOKIE = "sync-session"
CSRF_COOKIE = "sync-csrf"
_IDLE_SECONDS = 8 * 3600.0
_SESSIONS = 50
_FAILURES, _FAILURE_SECONDS = 10, 60.0
_HEADER_LIMIT = 64 * 1024


class Role(StrEnum):
    """As in the app registration."""

    ADMIN = "Sync.Admin"
    READER = "Sync.Reader"
    ECONOMY = "Sync.Economy"  # sees companies' figures, and nothing of the console


@dataclass(frozen=True, slots=True)
class Principal:
    """Somebody who is signed in. `csrf` is what a browser must send back: our session's own, or behind the platform's
    sign-in that of a cookie which only our pages set."""

    name: str
    roles: frozenset[Role]
    kind: str  # platform, session or key
    csrf: str = ""

    def may(self, role: Role) -> bool:
        """Who may do everything may also read, and who may read sees the figures."""
        wider = {Role.ECONOMY: {Role.READER, Role.ADMIN}, Role.READER: {Role.ADMIN}, Role.ADMIN: set[Role]()}
        return bool(self.roles & {role, *wider[role]})

    def require(self, role: Role) -> None:
        """Raises AccessDeniedError."""
        if not self.may(role):
            raise AccessDeniedError(
                f"This needs the role {role.value}.", hint="Ask the administrator of the app registration for the role."
            )


@dataclass(slots=True)
class _Session:
    principal: Principal
    seen: float


class TooManyTriesError(AuthenticationError):
    """Somebody is guessing."""


class Access:
    """Decides. `now` is in seconds, monotonic. Thread-safe."""

    def __init__(
        self, links: Links, *, platform: bool, api_key: str = "", now: Callable[[], float] = time.monotonic
    ) -> None:
        self._links = links
        self._platform = platform
        self._api_key = api_key
        self._local = not platform
        self._now = now
        self._lock = threading.Lock()
        self._sessions: dict[str, _Session] = {}
        self._failures: deque[float] = deque(maxlen=_FAILURES)

    @property
    def has_login(self) -> bool:
        """Whether people sign in by a link of ours."""
        return self._local

    def new_link_token(self) -> str:
        """A token for one login within a quarter of an hour."""
        return self._links.issue()

    def login(self, token: str) -> str:
        """Uses a link up; returns the new session's id. Raises AuthenticationError."""
        with self._lock:
            self._check_failures()
        if not self._local or not self._links.use(token):
            with self._lock:
                self._failures.append(self._now())
            raise AuthenticationError(
                "This login link is used up or too old.", hint="Make a new one: economic-sync login-link"
            )
        session = secrets.token_urlsafe(32)
        principal = Principal(LOCAL, frozenset(Role), "session", secrets.token_urlsafe(24))
        with self._lock:
            if len(self._sessions) >= _SESSIONS:
                oldest = min(self._sessions, key=lambda one: self._sessions[one].seen)
                del self._sessions[oldest]
            self._sessions[session] = _Session(principal, self._now())
        return session

    def logout(self, session: str) -> None:
        """Ends a session."""
        with self._lock:
            self._sessions.pop(session, None)

    def principal(self, headers: Mapping[str, str], cookies: Mapping[str, str]) -> Principal | None:
        """Who is asking; None for nobody. `headers` don't mind the case. Raises AuthenticationError for a wrong key."""
        if self._platform:
            found = _platform_principal(headers, cookies.get(CSRF_COOKIE, ""))
            if found is not None:
                return found
        key = headers.get("x-functions-key")
        if key is not None and self._api_key:
            return self._by_key(key)
        return self._by_session(cookies.get(COOKIE)) if self._local else None

    def _by_key(self, key: str) -> Principal:
        with self._lock:
            self._check_failures()
            if _same(key, self._api_key):
                return Principal("a program", frozenset(Role), "key")
            self._failures.append(self._now())
        raise AuthenticationError("The key is not right.", hint="Send the key of ENGINE_API_KEY as x-functions-key.")

    def _by_session(self, session: str | None) -> Principal | None:
        if not session:
            return None
        with self._lock:
            found = next((one for one in self._sessions if _same(one, session)), None)
            if found is None:
                return None
            kept = self._sessions[found]
            if self._now() - kept.seen > _IDLE_SECONDS:
                del self._sessions[found]
                return None
            kept.seen = self._now()
            return kept.principal

    def _check_failures(self) -> None:
        if len(self._failures) == _FAILURES and self._now() - self._failures[0] < _FAILURE_SECONDS:
            raise TooManyTriesError("Too many wrong tries.", hint="Wait a minute.")


def _platform_principal(headers: Mapping[str, str], csrf: str) -> Principal | None:
    """From the header that the platform sets after it has checked the sign-in."""
    text = headers.get("x-ms-client-principal", "")
    if not text or len(text) > _HEADER_LIMIT:
        return None
    try:
        data = json.loads(base64.b64decode(text, validate=True))
        role_type = data.get("role_typ") or "roles"
        claims = [(str(claim["typ"]), str(claim["val"])) for claim in data["claims"]]
    except (ValueError, binascii.Error, KeyError, TypeError, AttributeError):
        return None
    words = {value for kind, value in claims if kind in (role_type, "roles")}
    name = headers.get("x-ms-client-principal-name") or "somebody who is signed in"
    return Principal(name[:100], frozenset(role for role in Role if role.value in words), "platform", csrf)


def _same(left: str, right: str) -> bool:
    return hmac.compare_digest(left.encode(), right.encode())
