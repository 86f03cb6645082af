"""Tokens for SharePoint: certificate, managed identity, or a fixed one for the emulator.

SharePoint's REST service takes app-only tokens only when they were had with a certificate or a managed identity; a
client secret signs in and is then refused, so it is not tried. One MSAL application per run; its cache and ours are
dropped when SharePoint refuses a token.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, Protocol

import msal
import requests

from worker.errors import AuthenticationError, ConfigError, Problem, UnavailableError
from worker.sharepoint.certificate import load_credential
from worker.transport import TIMEOUT, is_loopback, origin

AuthMode = Literal["certificate", "managed-identity", "static-token", "client-secret"]
AUTHORITIES = ("login.microsoftonline.com", "login.microsoftonline.us", "login.partner.microsoftonline.cn")
_MARGIN = 300.0  # seconds before its end from which a token is not used any more
_LATER = "Try again later; nothing is lost."
# What Entra's error numbers mean for the person who set this up.
_ENTRA = {
    "AADSTS700016": "Check SHAREPOINT_CLIENT_ID: the tenant does not know this app.",
    "AADSTS90002": "Check SHAREPOINT_TENANT_ID: there is no such tenant.",
    "AADSTS700027": "Upload this certificate to the app registration (Certificates & secrets).",
    "AADSTS7000222": "The certificate in the app registration has expired: upload the new one.",
    "AADSTS500011": "Check SHAREPOINT_SITE_URL: the tenant has no such SharePoint.",
}


@dataclass(frozen=True)
class Identity:
    """Who signs in. Secrets are not shown by `repr`."""

    mode: AuthMode
    tenant_id: str | None = None
    client_id: str | None = None
    certificate_path: Path | None = None
    certificate_password: str | None = field(default=None, repr=False)
    token: str | None = field(default=None, repr=False)
    authority_host: str = AUTHORITIES[0]


@dataclass(frozen=True)
class Token:
    """A bearer token and when (monotonic seconds) it must be replaced."""

    text: str = field(repr=False)
    until: float = float("inf")


class Provider(Protocol):
    """Gets tokens from wherever they come."""

    def acquire(self) -> Token:
        """A usable token. Raises AuthenticationError or UnavailableError."""
        ...

    def forget(self) -> None:
        """The last token was refused: don't give it again from a cache."""
        ...


class Tokens:
    """The current token, replaced before it ends or when it was refused. Thread-safe."""

    def __init__(self, provider: Provider, clock: Callable[[], float] = time.monotonic) -> None:
        self._provider = provider
        self._clock = clock
        self._lock = threading.Lock()
        self._token: Token | None = None

    def current(self) -> str:
        """The token's text. Raises AuthenticationError or UnavailableError."""
        with self._lock:
            if self._token is None or self._clock() >= self._token.until:
                self._token = self._provider.acquire()
            return self._token.text

    def refused(self, text: str) -> str:
        """A token to use instead of `text`; another thread may have got it already."""
        with self._lock:
            if self._token is None or self._token.text == text:
                self._provider.forget()
                self._token = self._provider.acquire()
            return self._token.text

    def answer(self) -> dict[str, Any]:
        """For the client library's `with_access_token`. It ends at once, so that the library always asks us."""
        return {"access_token": self.current(), "token_type": "Bearer", "expires_in": 0}


def make_tokens(identity: Identity, site_url: str) -> Tokens:
    """The tokens of an identity for a site. Raises ConfigError for what can't work, before anything is sent."""
    if not site_url.lower().startswith("https://") and not is_loopback(site_url):
        problem = Problem("SHAREPOINT_SITE_URL", "must start with https://.")
        raise ConfigError([problem], hint="Plain http would show the token to everybody on the way.")
    makers: Mapping[str, Callable[[Identity, str], Provider]] = {
        "certificate": _certificate,
        "managed-identity": _managed,
        "static-token": _static,
        "client-secret": _secret,
    }
    return Tokens(makers[identity.mode](identity, site_url))


def _secret(_identity: Identity, _site_url: str) -> Provider:
    raise ConfigError(
        [Problem("SHAREPOINT_AUTH", "SharePoint refuses apps that sign in with a client secret.")],
        hint="Use a certificate (SHAREPOINT_AUTH=certificate) or a managed identity.",
    )


def _static(identity: Identity, site_url: str) -> Provider:
    if not is_loopback(site_url):
        raise ConfigError(
            [Problem("SHAREPOINT_AUTH", "static-token is refused for any address that is not loopback.")],
            hint="It is for the local emulator; use a certificate or a managed identity.",
        )
    return _StaticProvider(identity.token or "")


def _certificate(identity: Identity, site_url: str) -> Provider:
    if identity.authority_host not in AUTHORITIES:
        problem = Problem("authority", f"'{identity.authority_host}' is not a sign-in host of Microsoft.", AUTHORITIES)
        raise ConfigError([problem])
    path = identity.certificate_path or Path()
    credential = load_credential(path, identity.certificate_password, datetime.now(UTC))
    return _CertificateProvider(identity, credential, origin(site_url))


def _managed(identity: Identity, site_url: str) -> Provider:
    return _ManagedProvider(identity.client_id, origin(site_url))


class _StaticProvider:
    """The emulator's token."""

    def __init__(self, text: str) -> None:
        self._token = Token(text)

    def acquire(self) -> Token:
        return self._token

    def forget(self) -> None:
        """There is only this one."""


class _CertificateProvider:
    """Client credentials with a certificate."""

    def __init__(self, identity: Identity, credential: Mapping[str, Any], resource: str) -> None:
        self._identity = identity
        self._credential = credential
        self._scopes = [f"{resource}/.default"]
        self._app: Any = None

    def acquire(self) -> Token:
        return _asked(lambda: self._application().acquire_token_for_client(scopes=self._scopes))

    def forget(self) -> None:
        if self._app is not None:
            self._app.remove_tokens_for_client()

    def _application(self) -> Any:
        # Made late: making it already asks the sign-in service for its addresses.
        if self._app is None:
            authority = f"https://{self._identity.authority_host}/{self._identity.tenant_id}"
            self._app = msal.ConfidentialClientApplication(
                self._identity.client_id,
                authority=authority,
                client_credential=self._credential,
                timeout=TIMEOUT[0],
                instance_discovery=False,  # the host is one of AUTHORITIES already
            )
        return self._app


class _ManagedProvider:
    """The identity of the machine the worker runs on."""

    def __init__(self, client_id: str | None, resource: str) -> None:
        self._resource = resource
        self._client_id = client_id
        self._client = self._made()

    def acquire(self) -> Token:
        return _asked(lambda: self._client.acquire_token_for_client(resource=self._resource))

    def forget(self) -> None:
        self._client = self._made()

    def _made(self) -> Any:
        own = self._client_id
        identity = msal.UserAssignedManagedIdentity(client_id=own) if own else msal.SystemAssignedManagedIdentity()
        return msal.ManagedIdentityClient(identity, http_client=requests.Session())


def _asked(ask: Callable[[], Any]) -> Token:
    """Asks MSAL and turns every way it fails into one of our errors."""
    try:
        answer = ask()
    except requests.RequestException as error:
        raise UnavailableError(
            f"The Microsoft sign-in service could not be reached ({type(error).__name__}).", hint=_LATER
        ) from None
    except (ValueError, msal.ManagedIdentityError) as error:
        # MSAL's words for an unknown tenant, or a machine without an identity; its first line holds no secret.
        raise AuthenticationError(
            f"Signing in is not possible: {str(error).splitlines()[0][:200]}",
            hint="Check SHAREPOINT_TENANT_ID, or that this machine has a managed identity.",
        ) from None
    if not isinstance(answer, dict) or "access_token" not in answer:
        raise _refused(answer if isinstance(answer, dict) else {})
    return Token(answer["access_token"], time.monotonic() + max(0.0, float(answer.get("expires_in", 0)) - _MARGIN))


def _refused(answer: Mapping[str, Any]) -> AuthenticationError:
    words = (str(answer.get("error_description") or answer.get("error") or "no reason given").splitlines() or [""])[0]
    hint = next((text for code, text in _ENTRA.items() if code in words), "Check the app registration and certificate.")
    return AuthenticationError(f"Microsoft refused the sign-in: {words[:200]}", hint=hint)
