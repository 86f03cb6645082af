"""Secrets in a key vault, over the SDK's own HTTP: a small vault answers as the service documents."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
import responses
from azure.core.credentials import AccessToken
from requests import PreparedRequest

from worker.errors import AccessDeniedError, ThrottledError, UnavailableError
from worker.settings import EngineSettings, Installation
from worker.stores.key_vault import KeyVault
from worker.stores.secret_files import SecretFiles
from worker.wiring.engine import open_secrets

URL = "https://sync-test.vault.azure.net"
_CHALLENGE = 'Bearer authorization="https://login.microsoftonline.com/tenant", resource="https://vault.azure.net"'
Answer = tuple[int, dict[str, str], str]


@dataclass
class Vault:
    """Secrets by name. Who comes without a token is told where to get one. `fault` is answered instead."""

    secrets: dict[str, str] = field(default_factory=dict)
    fault: int = 0

    def answer(self, request: PreparedRequest) -> Answer:
        if request.headers.get("Authorization") != "Bearer a-token":
            return 401, {"WWW-Authenticate": _CHALLENGE}, _error("Unauthorized")
        if self.fault:
            return self.fault, {"Retry-After": "0"}, _error("Fault")
        name = re.sub(r".*/secrets/([^/?]+).*", r"\1", str(request.url))
        if request.method == "PUT":
            self.secrets[name] = json.loads(request.body or "{}")["value"]
        if name not in self.secrets:
            return 404, {}, _error("SecretNotFound")
        body = {"value": self.secrets[name], "id": f"{URL}/secrets/{name}/1", "attributes": {"enabled": True}}
        return 200, {"Content-Type": "application/json"}, json.dumps(body)


def _error(code: str) -> str:
    return json.dumps({"error": {"code": code, "message": "told by the service"}})


class Credential:
    """Gives one token."""

    def get_token(self, *_scopes: str, **_more: Any) -> AccessToken:
        return AccessToken("a-token", 4102444800)


@pytest.fixture
def vault() -> Iterator[Vault]:
    made = Vault()
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        for method in ("GET", "PUT"):
            mock.add_callback(method, re.compile(f"{re.escape(URL)}/secrets/.*"), made.answer)
        yield made


def opened() -> KeyVault:
    return KeyVault(URL, credential=Credential(), retry_total=0)


@pytest.fixture(params=["vault", "files"])
def secrets(request, vault, tmp_path):
    """The port's two adapters."""
    return opened() if request.param == "vault" else SecretFiles(tmp_path)


def test_what_is_written_is_read(secrets):
    assert secrets.read("CONSOLE_DEFAULT_GRANT_TOKEN") is None
    secrets.write("CONSOLE_DEFAULT_GRANT_TOKEN", "first")
    secrets.write("CONSOLE_DEFAULT_GRANT_TOKEN", "second")
    assert secrets.read("CONSOLE_DEFAULT_GRANT_TOKEN") == "second"
    assert secrets.read("CONSOLE_OTHER_GRANT_TOKEN") is None


@pytest.mark.parametrize("name", ["", "../x", "lower", "A/B", "1A", "A" * 101])
def test_a_name_that_is_none_leads_nowhere(secrets, name):
    with pytest.raises(ValueError, match="is no name"):
        secrets.read(name)
    with pytest.raises(ValueError, match="is no name"):
        secrets.write(name, "x")


def test_the_vault_has_its_own_spelling(vault):
    opened().write("CONSOLE_DEFAULT_GRANT_TOKEN", "x")
    assert list(vault.secrets) == ["console-default-grant-token"]


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (401, AccessDeniedError),
        (403, AccessDeniedError),
        (409, UnavailableError),
        (429, ThrottledError),
        (503, UnavailableError),
    ],
)
def test_a_refusal_is_told_with_the_next_step_and_nothing_of_the_inside(vault, status, kind):
    vault.fault = status
    with pytest.raises(kind) as caught:
        opened().write("A", "a-secret-value")
    assert caught.value.hint
    assert "a-secret-value" not in str(caught.value)
    assert "a-token" not in str(caught.value)
    assert "told by the service" not in str(caught.value)


def test_the_setting_chooses_the_vault(vault, tmp_path):
    """Without it, files of the data directory."""
    with_vault = Installation(EngineSettings(vault_url=URL), {}, folder=tmp_path)
    assert isinstance(open_secrets(with_vault), KeyVault)
    assert isinstance(open_secrets(Installation(EngineSettings(), {}, folder=tmp_path)), SecretFiles)
