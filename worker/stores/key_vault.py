"""Secrets in an Azure Key Vault: for an app whose own disk does not last. Needs the extra [azure].

No error of the SDK leaves, since its texts hold addresses; ours name the vault's host and what to do.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from azure.core.credentials import TokenCredential
from azure.core.exceptions import (
    AzureError,
    ClientAuthenticationError,
    HttpResponseError,
    ResourceNotFoundError,
)
from azure.identity import ManagedIdentityCredential
from azure.keyvault.secrets import SecretClient

from worker.errors import AccessDeniedError, ThrottledError, UnavailableError

_NAME = re.compile(r"[A-Z][A-Z0-9_]{0,99}")
_ROLE = "Give the app's identity the role Key Vault Secrets Officer on the vault (it takes some minutes to work)."
_KEPT_ASIDE = 409  # a deleted secret of this name can still be recovered, and is in the way


class KeyVault:
    """Implements ports.Secrets. `url` is the vault's address, `identity` the client id of a managed identity ("" = the
    system's). Names are written with dashes, as the vault has them. `options` go to the client."""

    def __init__(
        self, url: str, identity: str = "", *, credential: TokenCredential | None = None, **options: Any
    ) -> None:
        self._host = urlsplit(url).hostname or ""
        credential = credential or ManagedIdentityCredential(client_id=identity or None)
        self._client = SecretClient(url, credential, **options)

    def read(self, name: str) -> str | None:
        """None when there is none. Raises AccessDeniedError, ThrottledError, UnavailableError."""
        with self._errors():
            try:
                return self._client.get_secret(_vault_name(name)).value or None
            except ResourceNotFoundError:
                return None

    def write(self, name: str, value: str) -> None:
        """A new version, which is the one that is read. Raises AccessDeniedError, ThrottledError, UnavailableError."""
        with self._errors():
            self._client.set_secret(_vault_name(name), value)

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except ClientAuthenticationError:
            raise AccessDeniedError(f"{self._host} does not accept the app's identity.", hint=_ROLE) from None
        except HttpResponseError as error:
            raise self._refused(error.status_code or 0) from None
        except AzureError:
            raise UnavailableError(
                f"{self._host} did not answer.", hint="Check ENGINE_VAULT_URL and the vault's network rules."
            ) from None

    def _refused(self, status: int) -> AccessDeniedError | ThrottledError | UnavailableError:
        if status == 403:
            return AccessDeniedError(f"{self._host} denies access.", hint=_ROLE)
        if status == 429:
            return ThrottledError(f"{self._host} asks us to wait.", hint="Try again in a minute.")
        if status == _KEPT_ASIDE:
            return UnavailableError(
                f"{self._host} keeps a deleted secret of this name.", hint="Recover or purge it, then try again."
            )
        return UnavailableError(f"{self._host} answered {status}.", hint="Try again; see Azure's status page.")


def _vault_name(name: str) -> str:
    """Vaults know letters, digits and dashes only."""
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name!r} is no name of a secret")
    return name.lower().replace("_", "-")
