"""Signing in: what is refused before anything is sent, and what Microsoft's answers become."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import responses
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509.oid import NameOID

from worker.errors import AuthenticationError, ConfigError, UnavailableError
from worker.sharepoint.auth import Identity, Token, Tokens, make_tokens
from worker.sharepoint.certificate import load_credential

SITE = "https://contoso.sharepoint.com/sites/crm"
LOGIN = "https://login.microsoftonline.com/contoso.example"
NOW = datetime(2026, 11, 25, tzinfo=UTC)
PASSWORD = "correct-horse"
KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
PEM, PKCS8 = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8


def certificate(first: datetime, last: datetime) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "worker")])
    builder = x509.CertificateBuilder(name, name, KEY.public_key(), 1, first, last)
    return builder.sign(KEY, hashes.SHA256())


VALID = certificate(NOW - timedelta(days=400), NOW + timedelta(days=3650))
OLD = certificate(NOW - timedelta(days=800), NOW - timedelta(days=2))
EARLY = certificate(NOW + timedelta(days=2), NOW + timedelta(days=300))


def pem(one: x509.Certificate, password: str | None = None) -> bytes:
    how = serialization.BestAvailableEncryption(password.encode()) if password else serialization.NoEncryption()
    return KEY.private_bytes(PEM, PKCS8, how) + one.public_bytes(PEM)


def pfx(one: x509.Certificate, password: str) -> bytes:
    how = serialization.BestAvailableEncryption(password.encode())
    return pkcs12.serialize_key_and_certificates(b"worker", KEY, one, None, how)


def kept(folder: Path, data: bytes) -> Path:
    path = folder / "worker.pem"
    path.write_bytes(data)
    return path


@pytest.mark.parametrize(
    ("data", "password"),
    [(pem(VALID), None), (pem(VALID, PASSWORD), PASSWORD), (pfx(VALID, PASSWORD), PASSWORD)],
    ids=["pem", "locked pem", "pfx"],
)
def test_pem_and_pfx_give_the_same_credential(tmp_path, data, password):
    """With and without a password."""
    made = load_credential(kept(tmp_path, data), password, NOW)
    assert "BEGIN PRIVATE KEY" in made["private_key"]
    assert x509.load_pem_x509_certificate(made["public_certificate"].encode()) == VALID


@pytest.mark.parametrize(
    ("data", "password", "words"),
    [
        (pem(OLD), None, "expired on 2026-11-23"),
        (pem(EARLY), None, "not valid before 2026-11-27"),
        (pem(VALID, PASSWORD), "wrong", "SHAREPOINT_CERTIFICATE_PASSWORD is wrong"),
        (pfx(VALID, PASSWORD), None, "SHAREPOINT_CERTIFICATE_PASSWORD is wrong"),
        (VALID.public_bytes(PEM), None, "no private key"),
        (KEY.private_bytes(PEM, PKCS8, serialization.NoEncryption()), None, "no certificate"),
        (b"nonsense", None, "can't be read"),
    ],
    ids=["expired", "early", "locked pem", "locked pfx", "no key", "no certificate", "nonsense"],
)
def test_a_bad_certificate_is_one_clear_sentence(tmp_path, data, password, words):
    """Named by its setting, with the next step, and no word of the key or password."""
    with pytest.raises(ConfigError) as caught:
        load_credential(kept(tmp_path, data), password, NOW)
    (problem,) = caught.value.problems
    assert problem.where == "SHAREPOINT_CERTIFICATE_PATH"
    assert words in problem.message
    assert caught.value.hint
    assert "BEGIN" not in str(caught.value)


def test_a_missing_certificate_file_is_said_so(tmp_path):
    """By its name only."""
    with pytest.raises(ConfigError, match=r"worker.pem can't be read \(No such file or directory\)"):
        load_credential(tmp_path / "worker.pem", None, NOW)


def test_a_client_secret_is_refused_before_it_is_tried():
    """SharePoint would sign it in and then deny everything."""
    with pytest.raises(ConfigError, match="client secret") as caught:
        make_tokens(Identity("client-secret"), SITE)
    assert "certificate" in caught.value.hint


@pytest.mark.parametrize("site", [SITE, "https://127.0.0.1.example.com/sites/crm", "https://localhost.example/sites/x"])
def test_the_static_token_stays_on_this_machine(site):
    """Names that only look like loopback are refused too."""
    with pytest.raises(ConfigError, match="not loopback"):
        make_tokens(Identity("static-token", token="planted"), site)
    assert (
        make_tokens(Identity("static-token", token="planted"), "http://127.0.0.1:8000/sites/crm").current() == "planted"
    )


def test_plain_http_is_for_loopback_only():
    """A token is not shown to everybody on the way."""
    with pytest.raises(ConfigError, match="https"):
        make_tokens(Identity("managed-identity"), "http://contoso.sharepoint.com/sites/crm")


def test_a_sign_in_host_of_somebody_else_is_refused(tmp_path):
    """Only Microsoft's own authorities."""
    identity = Identity("certificate", "t", "c", kept(tmp_path, pem(VALID)), authority_host="login.evil.example")
    with pytest.raises(ConfigError, match="not a sign-in host"):
        make_tokens(identity, SITE)


def test_no_secret_is_shown_by_repr():
    """Identity and token may end up in a debugger's output or a log by mistake."""
    shown = repr([Identity("certificate", certificate_password="planted-1", token="planted-2"), Token("planted-3")])
    assert "planted" not in shown


# --- against Microsoft's sign-in service, played by `responses`


def entra(answers: responses.RequestsMock, *token_answers: tuple[int, dict[str, object]]) -> None:
    base = LOGIN.replace("contoso.example", "tenant-guid")
    discovery = {
        "authorization_endpoint": f"{base}/oauth2/v2.0/authorize",
        "token_endpoint": f"{base}/oauth2/v2.0/token",
        "issuer": f"{base}/v2.0",
        "tenant_region_scope": "EU",
    }
    answers.get(f"{LOGIN}/v2.0/.well-known/openid-configuration", json=discovery)
    for status, body in token_answers:
        answers.post(f"{base}/oauth2/v2.0/token", json=body, status=status)


def granted(token: str) -> tuple[int, dict[str, object]]:
    return 200, {"token_type": "Bearer", "expires_in": 3600, "access_token": token}


@pytest.fixture
def tokens(tmp_path: Path) -> Tokens:
    return make_tokens(Identity("certificate", "contoso.example", "app-id", kept(tmp_path, pem(VALID))), SITE)


@responses.activate(assert_all_requests_are_fired=True)
def test_a_certificate_gets_a_token_for_the_tenants_sharepoint(tokens):
    """The scope is the tenant's host, the proof is signed, and one token serves many requests."""
    entra(responses.mock, granted("first"))
    assert [tokens.current() for _ in range(3)] == ["first"] * 3
    sent = responses.calls[-1].request.body
    text = sent if isinstance(sent, str) else sent.decode()
    assert "scope=https%3A%2F%2Fcontoso.sharepoint.com%2F.default" in text
    assert "client_assertion=" in text


@responses.activate(assert_all_requests_are_fired=True)
def test_a_refused_token_is_replaced_by_a_new_one_once(tokens):
    """MSAL's cache is dropped; two threads that were refused the same token share the new one."""
    entra(responses.mock, granted("first"), granted("second"))
    assert tokens.current() == "first"
    assert tokens.refused("first") == "second"
    assert tokens.refused("first") == "second"


@responses.activate
def test_a_refusal_names_what_to_check(tokens):
    """The number of Microsoft's error leads to the setting; the trace lines are left out."""
    words = "AADSTS700016: Application with identifier 'app-id' was not found.\r\nTrace ID: x\r\nTimestamp: y"
    entra(responses.mock, (400, {"error": "unauthorized_client", "error_description": words}))
    with pytest.raises(AuthenticationError, match="AADSTS700016") as caught:
        tokens.current()
    assert "SHAREPOINT_CLIENT_ID" in caught.value.hint
    assert "Trace ID" not in caught.value.message


@responses.activate
def test_an_unknown_tenant_is_an_authentication_error(tokens):
    """MSAL raises for it while it looks for the tenant's addresses."""
    body = {"error": "invalid_tenant", "error_description": "AADSTS90002: Tenant not found."}
    responses.get(f"{LOGIN}/v2.0/.well-known/openid-configuration", json=body, status=400)
    with pytest.raises(AuthenticationError) as caught:
        tokens.current()
    assert "SHAREPOINT_TENANT_ID" in caught.value.hint


@responses.activate
def test_no_network_to_microsoft_can_be_tried_again_later(tokens):
    """A connection that fails is not a wrong password."""
    with pytest.raises(UnavailableError, match="could not be reached"):
        tokens.current()


@responses.activate(assert_all_requests_are_fired=True)
def test_a_managed_identity_asks_the_machine(monkeypatch):
    """The resource is the tenant's host, without /.default."""
    for name in ("IDENTITY_ENDPOINT", "IDENTITY_HEADER", "MSI_ENDPOINT", "IMDS_ENDPOINT"):
        monkeypatch.delenv(name, raising=False)
    body = {"access_token": "machine", "expires_in": "3600", "resource": "x", "token_type": "Bearer"}
    responses.get("http://169.254.169.254/metadata/identity/oauth2/token", json=body)
    tokens = make_tokens(Identity("managed-identity", client_id="own"), SITE)
    assert tokens.current() == "machine"
    assert "resource=https%3A%2F%2Fcontoso.sharepoint.com&" in f"{responses.calls[0].request.url}&"


# --- the cache


class Counting:
    """Hands out numbered tokens that last ten seconds."""

    def __init__(self) -> None:
        self.now = 0.0
        self.given = 0

    def acquire(self) -> Token:
        self.given += 1
        return Token(str(self.given), self.now + 10)

    def forget(self) -> None:
        """Every token is new anyway."""


def test_a_token_is_replaced_before_it_ends():
    """The margin is in its time already."""
    provider = Counting()
    tokens = Tokens(provider, lambda: provider.now)
    assert (tokens.current(), tokens.current()) == ("1", "1")
    provider.now = 10
    assert tokens.current() == "2"
    assert tokens.answer() == {"access_token": "2", "token_type": "Bearer", "expires_in": 0}


def test_the_signed_proof_names_the_certificate(tokens):
    """What MSAL sends says which certificate signed it, so that Entra finds the uploaded one."""
    with responses.RequestsMock() as answers:
        entra(answers, granted("first"))
        tokens.current()
        sent = answers.calls[-1].request.body
    text = sent if isinstance(sent, str) else sent.decode()
    proof = text.partition("client_assertion=")[2].partition("&")[0].partition(".")[0]
    head = json.loads(base64.urlsafe_b64decode(proof + "=" * (-len(proof) % 4)))
    assert "x5t#S256" in head or "x5t" in head
