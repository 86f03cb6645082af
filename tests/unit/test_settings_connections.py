"""Several connections in one installation: their own values, their own secrets by name, and their own faults."""

from __future__ import annotations

from pathlib import Path

import pytest

from worker.errors import ConfigError
from worker.settings import find_secret, load_installation, load_settings
from worker.wiring.live import Own

TWO = """
[sharepoint]
auth = "static-token"
concurrency = 3
[sync]
language = "da"
[connections.acme.sharepoint]
site_url = "http://127.0.0.1:1/sites/acme"
[connections.acme.secrets]
grant_token = "ACME_GRANT"
[connections.birk.sharepoint]
site_url = "http://127.0.0.1:1/sites/birk"
concurrency = 1
[connections.birk.sync]
language = "en"
[connections.birk.secrets]
grant_token = "BIRK_GRANT"
"""


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name, value in {
        "ECONOMIC_APP_SECRET": "shared-secret",
        "SHAREPOINT_TOKEN": "shared-token",
        "ACME_GRANT": "grant-of-acme",
        "BIRK_GRANT": "grant-of-birk",
    }.items():
        monkeypatch.setenv(name, value)
    path = tmp_path / "settings.toml"
    path.write_text(TWO)
    return path


def test_each_has_its_own_values_over_the_shared_ones(config):
    found = load_installation(config).connections
    assert list(found) == ["acme", "birk"]
    assert [one.sharepoint.concurrency for one in found.values()] == [3, 1]
    assert [one.sync.language for one in found.values()] == ["da", "en"]
    assert [one.name for one in found.values()] == ["acme", "birk"]


def test_each_has_its_own_secret_and_shares_those_it_does_not_name(config):
    found = load_installation(config).connections
    grants = [one.economic.grant_token.get_secret_value() for one in found.values()]
    assert grants == ["grant-of-acme", "grant-of-birk"]
    assert {one.economic.app_secret.get_secret_value() for one in found.values()} == {"shared-secret"}


def test_a_connections_own_value_wins_over_a_variable_and_the_variable_over_the_shared_table(config, monkeypatch):
    monkeypatch.setenv("SHAREPOINT_CONCURRENCY", "2")
    found = load_installation(config).connections
    assert [one.sharepoint.concurrency for one in found.values()] == [2, 1]


def test_one_that_is_wrong_does_not_hold_up_the_other(config, monkeypatch):
    monkeypatch.delenv("ACME_GRANT")
    found = load_installation(config)
    assert list(found.connections) == ["birk"]
    assert "ACME_GRANT" in str(found.broken["acme"].problems[0])


def test_a_command_needs_to_know_which(config):
    with pytest.raises(ConfigError, match="--connection") as caught:
        load_settings(config)
    assert caught.value.problems[0].allowed == ("acme", "birk")
    assert load_settings(config, "birk").sharepoint.site_url.endswith("/birk")
    with pytest.raises(ConfigError, match="not configured"):
        load_settings(config, "cura")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[connections]\nacme = 1", "is not a table"),
        ('[connections."Ac me".sharepoint]\nsite_url = "https://x"', "other signs"),
        ('[connections.a.economic]\ngrant_token = "x"', "is a secret"),
        ('[connections.a.secrets]\ngrant_token = "lower-case"', "in capitals"),
        ('[connections.a.secrets]\nnothing = "NAME"', "is not a secret of a connection"),
        ("[connections.a.engine]\nport = 1", "is not known"),
        ("[engine]\nport = 'x'", "ENGINE_PORT"),
        ("[engine]\nstore = 'azure'", "ENGINE_STORAGE_ACCOUNT"),
        ("[engine]\napi_key = 'x'", "is a secret"),
    ],
)
def test_what_is_wrong_in_the_file_is_said(config, text, words):
    config.write_text(text)
    with pytest.raises(ConfigError) as caught:
        load_installation(config)
    assert words in " ".join(map(str, caught.value.problems))


def test_a_secret_comes_from_the_variable_then_its_file_then_the_data_directory(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    stored = tmp_path / "secrets" / "SOME_SECRET"
    stored.parent.mkdir()
    stored.write_text("from the directory\n")
    stored.chmod(0o600)
    assert find_secret("SOME_SECRET", tmp_path, {}) == "from the directory"
    named = tmp_path / "mounted"
    named.write_text("from the file\n")
    monkeypatch.setenv("SOME_SECRET_FILE", str(named))
    assert find_secret("SOME_SECRET", tmp_path, {}) == "from the file"
    monkeypatch.setenv("SOME_SECRET", "from the variable")
    assert find_secret("SOME_SECRET", tmp_path, {}) == "from the variable"
    assert find_secret("OTHER_SECRET", tmp_path, {}) is None


def test_a_stored_secret_that_others_can_read_is_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    stored = tmp_path / "secrets" / "SOME_SECRET"
    stored.parent.mkdir()
    stored.write_text("x")
    stored.chmod(0o644)
    with pytest.raises(ConfigError, match="chmod 600"):
        find_secret("SOME_SECRET", tmp_path, {})


def test_a_named_file_that_is_missing_is_said(tmp_path, monkeypatch):
    monkeypatch.setenv("SOME_SECRET_FILE", str(tmp_path / "nowhere"))
    with pytest.raises(ConfigError, match="SOME_SECRET_FILE"):
        find_secret("SOME_SECRET", tmp_path, {})


def test_every_secret_is_known_for_masking(config, monkeypatch):
    monkeypatch.setenv("ENGINE_API_KEY", "key-of-the-api")
    secrets = set(load_installation(config).secrets())
    assert {"shared-secret", "shared-token", "grant-of-acme", "grant-of-birk", "key-of-the-api"} <= secrets


@pytest.mark.parametrize(
    ("limit", "budget", "expected"), [(600, None, 300), (20, None, 12), (600, 30, 30), (20, 30, 12)]
)
def test_a_slice_is_never_more_than_sixty_percent_of_the_limit(config, monkeypatch, limit, budget, expected):
    monkeypatch.setenv("ENGINE_FUNCTION_LIMIT", str(limit))
    if budget:
        monkeypatch.setenv("ENGINE_BUDGET", str(budget))
    assert load_installation(config).engine.slice_seconds == expected


def test_a_rule_blanked_in_the_console_wins_over_the_variable(config, monkeypatch):
    """Of new customers only: other blank fields go back to what the variables and files say."""
    monkeypatch.setenv("CREATE_GROUP", "1")
    monkeypatch.setenv("CREATE_CURRENCY", "DKK")
    monkeypatch.setenv("CREATE_SEND", "EMail")
    installation = load_installation(config)
    assert installation.connection("acme", Own(site_url="").groups(None)).create.group == "1"
    typed = Own(create={"group": None, "send": ""}).groups(None)
    made = installation.connection("acme", typed)
    assert (made.create.group, made.create.send, made.create.currency) == (None, "", "DKK")
    assert made.sharepoint.site_url.endswith("/sites/acme")
