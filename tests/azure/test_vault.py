"""What the vault's references left is checked and made ready before the worker starts."""

from __future__ import annotations

import base64
import stat

import pytest

from tests.azure.app_folder import load
from worker.errors import ConfigError

PEM = "-----BEGIN PRIVATE KEY-----\nabc\n-----END PRIVATE KEY-----\n-----BEGIN CERTIFICATE-----\nabc\n"


def test_a_certificate_becomes_a_file_that_nobody_else_reads(tmp_path):
    environ = {"SHAREPOINT_CERTIFICATE": PEM, "ACME_CERTIFICATE": base64.b64encode(b"\0pfx").decode(), "OTHER": "x"}
    load("vault").prepare_environment(environ, tmp_path / "new")
    assert environ.keys() == {"SHAREPOINT_CERTIFICATE_PATH", "ACME_CERTIFICATE_PATH", "OTHER"}
    written = tmp_path / "new" / "SHAREPOINT_CERTIFICATE"
    assert environ["SHAREPOINT_CERTIFICATE_PATH"] == str(written)
    assert written.read_text() == PEM.strip()
    assert (tmp_path / "new" / "ACME_CERTIFICATE").read_bytes() == b"\0pfx"
    assert stat.S_IMODE(written.stat().st_mode) == 0o600
    assert stat.S_IMODE(written.parent.stat().st_mode) == 0o700


def test_a_restarted_worker_writes_the_newer_certificate(tmp_path):
    for text in (f"{PEM} old", f"{PEM} new"):
        load("vault").prepare_environment({"SHAREPOINT_CERTIFICATE": text}, tmp_path)
    assert (tmp_path / "SHAREPOINT_CERTIFICATE").read_text().endswith("new")


def test_a_reference_that_was_not_resolved_is_refused_by_name(tmp_path):
    reference = "@Microsoft.KeyVault(SecretUri=https://v.vault.azure.net/secrets/a/)"
    with pytest.raises(ConfigError, match="ECONOMIC_GRANT_TOKEN") as caught:
        load("vault").prepare_environment({"ECONOMIC_GRANT_TOKEN": reference, "OTHER": "x"}, tmp_path)
    assert "Key Vault Secrets User" in caught.value.hint


def test_what_is_no_certificate_is_refused_without_being_shown(tmp_path):
    with pytest.raises(ConfigError, match="SHAREPOINT_CERTIFICATE: is neither PEM") as caught:
        load("vault").prepare_environment({"SHAREPOINT_CERTIFICATE": "no secret of ours!"}, tmp_path)
    assert "no secret of ours" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_without_certificates_nothing_is_written(tmp_path):
    load("vault").prepare_environment({"SHAREPOINT_CERTIFICATE": " ", "A": "b"}, tmp_path / "new")
    assert not (tmp_path / "new").exists()
