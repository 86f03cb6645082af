"""What both clients of the Azure SDK share: how they are made, and their errors as ours.

No error of the SDK leaves: its texts may hold addresses with signatures. Ours name the host, the status, the service's
code and its request id, with which Microsoft's support and the account's logs find the call.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from azure.core.exceptions import AzureError, ClientAuthenticationError, HttpResponseError
from azure.storage.blob import ExponentialRetry

from worker.errors import (
    AccessDeniedError,
    AuthenticationError,
    ConfigError,
    NotFoundError,
    Problem,
    ProtocolError,
    ThrottledError,
    UnavailableError,
    WorkerError,
)
from worker.stores.azure import AzureStorage

_SIGN_IN_CODES = frozenset({"AuthenticationFailed", "InvalidAuthenticationInfo", "NoAuthenticationInformation"})
_PASSING_CODES = frozenset({"ContainerBeingDeleted", "QueueBeingDeleted"})


def client_options(storage: AzureStorage) -> dict[str, Any]:
    """Keyword arguments of either client."""
    options: dict[str, Any] = {
        "retry_policy": ExponentialRetry(
            initial_backoff=1,
            increment_base=2,
            random_jitter_range=1,
            retry_total=storage.retries,
            retry_connect=storage.retries,
            retry_read=storage.retries,
            retry_status=storage.retries,
        ),
        "connection_timeout": storage.connect_seconds,
        "read_timeout": storage.answer_seconds,
    }
    if storage.api_version:
        options["api_version"] = storage.api_version
    if storage.ca_file:
        options["connection_verify"] = storage.ca_file
    return options


def signed_in(storage: AzureStorage) -> AzureStorage:
    """With the credential that all clients share, and with it the tokens; none when there is a connection string."""
    if storage.connection or storage.credential is not None:
        return storage
    from azure.identity import ManagedIdentityCredential  # a second of imports that a connection string does not need

    return replace(storage, credential=ManagedIdentityCredential(client_id=storage.identity or None))


@contextmanager
def connecting() -> Iterator[None]:
    """While a client is made. The SDK's text may quote the connection string, so it is dropped."""
    try:
        yield
    except ValueError:
        problem = Problem("storage account", "has a connection string or address that can't be read.")
        hint = "Copy the connection string anew: Azure portal, storage account, Access keys."
        raise ConfigError([problem], hint=hint) from None


@contextmanager
def sdk_errors(what: str) -> Iterator[None]:
    """`what` is the service at its host, as it begins a sentence."""
    try:
        yield
    except AzureError as error:
        raise translated(error, what) from None


def may_be_missing_right(error: HttpResponseError) -> bool:
    """Signed in, but without the right to do this."""
    return error.status_code == 403 and code_of(error) not in _SIGN_IN_CODES


def code_of(error: HttpResponseError) -> str:
    """The service's own name of the error, "" without."""
    code = getattr(error, "error_code", None)
    headers: Mapping[str, str] = getattr(error.response, "headers", None) or {}
    return str(getattr(code, "value", code) or headers.get("x-ms-error-code") or "")


def translated(error: AzureError, what: str) -> WorkerError:
    """Ours for it."""
    if isinstance(error, ClientAuthenticationError):
        return _no_sign_in(what, _detail(error))
    if not isinstance(error, HttpResponseError) or error.status_code is None:
        return UnavailableError(
            f"{what} did not answer.", hint="Check the account's name, its network rules and this machine's network."
        )
    detail = _detail(error)
    status, code = error.status_code, code_of(error)
    if status == 401 or code in _SIGN_IN_CODES:
        return _no_sign_in(what, detail)
    if status == 403:
        return AccessDeniedError(
            f"{what} denies access{detail}.",
            hint="Give the identity the roles Storage Blob Data Contributor and Storage Queue Data Contributor on the "
            "account (they take some minutes to work), and check its network rules.",
        )
    if status == 404:
        return NotFoundError(
            f"{what} does not have it{detail}.",
            hint="Make the queues (NAME and NAME-poison) and the container, or give the right to make them.",
        )
    if status in (429, 503):
        return ThrottledError(f"{what} is busy{detail}.", retry_after=_retry_after(error), hint="It is tried again.")
    if status >= 500 or code in _PASSING_CODES:
        return UnavailableError(f"{what} failed{detail}.", hint="It is tried again; see Azure's status page.")
    return ProtocolError(f"{what} refused a request{detail}.", hint="Report it with the request id.")


def _no_sign_in(what: str, detail: str) -> AuthenticationError:
    return AuthenticationError(
        f"{what} does not accept our sign-in{detail}.",
        hint="Check the connection string, or that the managed identity is switched on and its client id is right; "
        "then this machine's clock.",
    )


def _detail(error: HttpResponseError) -> str:
    headers: Mapping[str, str] = getattr(error.response, "headers", None) or {}
    facts = [
        f"HTTP {error.status_code}" if error.status_code else "",
        code_of(error),
        headers.get("x-ms-request-id", ""),
    ]
    return f" ({', '.join(filter(None, facts))})" if any(facts) else ""


def _retry_after(error: HttpResponseError) -> float | None:
    headers: Mapping[str, str] = getattr(error.response, "headers", None) or {}
    given = headers.get("Retry-After", "")
    return float(given) if given.isdecimal() else None
