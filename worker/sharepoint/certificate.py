"""The worker's certificate: read and checked before anybody is asked for a token."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.serialization import pkcs12

from worker.errors import ConfigError, Problem

_WHERE = "SHAREPOINT_CERTIFICATE_PATH"
_HINT = "Make a certificate and upload its public part to the app registration (README, going live)."


def load_credential(path: Path, password: str | None, now: datetime) -> dict[str, Any]:
    """MSAL's credential for a PEM (certificate and key) or PFX file. `now` is aware UTC.

    Raises ConfigError, one sentence: missing, unreadable, wrong password, without key, not yet valid, expired.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise _problem(f"{path.name} can't be read ({error.strerror}).") from None
    secret = password.encode() if password else None
    key_text, certificate = _from_pem(data, secret) if b"-----BEGIN" in data else _from_pfx(data, secret)
    _check_dates(certificate, now)
    return {
        "private_key": key_text,
        "public_certificate": certificate.public_bytes(serialization.Encoding.PEM).decode(),
    }


def _from_pem(data: bytes, password: bytes | None) -> tuple[str, x509.Certificate]:
    if b"PRIVATE KEY-----" not in data:
        raise _problem("The PEM file holds no private key; it must hold key and certificate.")
    if b"BEGIN CERTIFICATE-----" not in data:
        raise _problem("The PEM file holds no certificate; it must hold key and certificate.")
    try:
        key = serialization.load_pem_private_key(data, password)
        return _key_text(key), x509.load_pem_x509_certificate(data)
    except (ValueError, TypeError):
        raise _problem(
            "The PEM file can't be read: it is damaged, or SHAREPOINT_CERTIFICATE_PASSWORD is wrong."
        ) from None


def _from_pfx(data: bytes, password: bytes | None) -> tuple[str, x509.Certificate]:
    try:
        key, certificate, _ = pkcs12.load_key_and_certificates(data, password)
    except (ValueError, TypeError):
        raise _problem(
            "The PFX file can't be read: it is damaged, or SHAREPOINT_CERTIFICATE_PASSWORD is wrong."
        ) from None
    if key is None or certificate is None:
        raise _problem("The PFX file must hold both a private key and a certificate.")
    return _key_text(key), certificate


def _key_text(key: Any) -> str:
    encoding, shape = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    text: bytes = key.private_bytes(encoding, shape, serialization.NoEncryption())
    return text.decode()


def _check_dates(certificate: x509.Certificate, now: datetime) -> None:
    if now > certificate.not_valid_after_utc:
        raise _problem(f"The certificate expired on {certificate.not_valid_after_utc:%Y-%m-%d}.")
    if now < certificate.not_valid_before_utc:
        raise _problem(f"The certificate is not valid before {certificate.not_valid_before_utc:%Y-%m-%d}.")


def _problem(sentence: str) -> ConfigError:
    return ConfigError([Problem(_WHERE, sentence)], hint=_HINT)
