"""What a user gets for bad input: one clear sentence with the next step, an exit code, nothing half-written."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID
from typer.testing import CliRunner

from tests.support.world import DATA_LISTS, World
from worker.cli.app import app


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Provisioned, with profiles; the lists are empty but for prospects."""
    with World(tmp_path_factory.mktemp("bad")) as world:
        world.set_up()
        world.snapshot()
        yield world


@pytest.fixture(autouse=True)
def untouched(world: World) -> Iterator[None]:
    """Whatever a test does wrong, nothing is half-written to the CRM's lists."""
    world.restore()
    world.control("sharepoint", "stats/reset", {})
    yield
    counts = world.control("sharepoint", "stats")["total"]["by_target"]
    assert sum(counts.get(title, {}).get("writes", 0) for title in DATA_LISTS) == 0


def refused(world: World, *arguments: str, code: int, **environment: str) -> Result:
    """The command must fail with this exit code, say the next step, and show neither traceback nor secret."""
    result = CliRunner().invoke(app, list(arguments), env={**world.environment(), **environment})
    assert result.exit_code == code, (result.exit_code, result.output, result.exception)
    assert "Next: " in result.stderr
    assert "Traceback" not in result.output
    for secret in ("test-token", "test-app-secret", environment.get("ECONOMIC_GRANT_TOKEN", "test-token")):
        assert secret not in result.output
    return result


def settings_file(folder: Path, text: str) -> str:
    path = folder / "settings.toml"
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_missing_settings_are_all_named_at_once(world):
    """By variable name, with what they are for."""
    blank = {"ECONOMIC_APP_SECRET": "", "ECONOMIC_GRANT_TOKEN": "", "SHAREPOINT_SITE_URL": ""}
    result = CliRunner().invoke(app, ["run"], env={**world.environment(), **blank})
    assert result.exit_code == 2
    assert all(name in result.stderr for name in blank)
    assert "Traceback" not in result.output


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("ECONOMIC_BASE_URL", "http://restapi.e-conomic.com", "must start with https://"),
        ("SHAREPOINT_SITE_URL", "contoso.sharepoint.com", "must be an address"),
        ("SHAREPOINT_AUTH", "password", "certificate"),
        ("SHAREPOINT_AUTH", "client-secret", "SharePoint refuses"),
        ("SYNC_FINANCIAL_YEAR_START", "1. juli", "MM-DD"),
        ("SYNC_TIME_ZONE", "Copenhagen", "Europe/Copenhagen"),
        ("SYNC_CONFIG", "nowhere.toml", "does not exist"),
    ],
)
def test_a_wrong_setting_is_named_with_what_is_right(world, name, value, says):
    """Exit code 2."""
    result = refused(world, "check", code=2, **{name: value})
    assert says in result.stderr
    if name != "SYNC_CONFIG":
        assert name in result.stderr


def test_a_static_token_is_refused_for_any_address_but_loopback(world):
    """The emulator's sign-in never reaches a real site."""
    result = refused(world, "check", code=2, SHAREPOINT_SITE_URL="https://contoso.sharepoint.com/sites/crm")
    assert "loopback" in result.stderr


def test_a_secret_in_the_settings_file_is_refused(world, tmp_path):
    """The file is meant to be committed."""
    path = settings_file(tmp_path, '[economic]\ngrant_token = "abc"\nnonsense = 1\n')
    result = refused(world, "check", code=2, SYNC_CONFIG=path)
    assert "ECONOMIC_GRANT_TOKEN" in result.stderr
    assert "nonsense" in result.stderr


def test_a_revoked_grant_says_where_to_look_in_e_conomic(world):
    """Exit code 3, before anything is written."""
    result = refused(world, "run", code=3, ECONOMIC_GRANT_TOKEN="planted-grant-token-1234567890")
    assert "e-conomic refused the tokens" in result.stderr
    assert "grant" in result.stderr


def test_tokens_of_another_agreement_are_refused(world):
    """The guard against mixing customers up."""
    result = refused(world, "run", code=2, ECONOMIC_AGREEMENT="4711")
    assert "4711" in result.stderr
    assert "1482735" in result.stderr


@pytest.fixture
def role(world: World) -> Iterator[Any]:
    """Sets what the app may do on the site; back to everything afterwards."""
    yield lambda name: world.control("sharepoint", "roles", {"test-token": name})
    world.control("sharepoint", "roles", {"test-token": "manage"})


def test_a_missing_site_grant_is_explained(world, role):
    """Consent to Sites.Selected alone opens no site."""
    role("none")
    assert "grant" in refused(world, "run", code=3).stderr.lower()
    checked = refused_check(world)
    assert "grant" in checked.stderr.lower()


def refused_check(world: World) -> Result:
    result = CliRunner().invoke(app, ["check"], env=world.environment())
    assert result.exit_code in (2, 3), result.output
    assert "Traceback" not in result.output
    return result


def test_a_read_only_grant_is_explained(world, role):
    """The first write is refused; check says it beforehand."""
    role("read")
    assert "write" in refused_check(world).stderr
    refused(world, "run", code=3)


def test_a_missing_list_names_the_list_and_the_setting(world, tmp_path):
    """Before anything is read from e-conomic."""
    path = settings_file(tmp_path, '[sharepoint.lists]\n"CRM Company" = "Kunder"\n')
    world.control("economic", "stats/reset", {})
    result = refused(world, "run", code=2, SYNC_CONFIG=path)
    assert "Kunder" in result.stderr
    assert world.control("economic", "stats")["total"]["requests"] == 0


def test_missing_and_unfit_columns_are_all_named_with_candidates(world, tmp_path):
    """Every problem of every profile at once; nothing read from e-conomic."""
    columns = 'Title = "Navn"\nBalance = "Address"\nCity = "By"'
    path = settings_file(tmp_path, f'[sharepoint.columns."CRM Company"]\n{columns}\n')
    world.control("economic", "stats/reset", {})
    result = refused(world, "check", code=2, SYNC_CONFIG=path)
    for wrong in ("Navn", "By", "Balance"):
        assert wrong in result.stderr
    assert "City (City)" in result.stderr


def person_types(world: World, title: str, **cells: Any) -> None:
    """A person edits a row of the profiles list."""
    world.edit("Mapping profiles", "Title", title, cells)


def test_a_profile_with_three_mistakes_shows_three_and_the_others_run(world, tmp_path):
    """Each with row, column and what is allowed."""
    with World(tmp_path) as other:
        other.set_up()
        person_types(other, "Contacts", ImportType="Imprt", MaxChangePct=-5, Schedule="every night")
        result = CliRunner().invoke(app, ["run"], env=other.environment())
        assert result.exit_code == 2
        err = result.stderr
        assert err.count("profile 'Contacts' (row") >= 3
        assert "Import & Update" in err
        assert "'0 2 * * *'" in err
        assert len([r for r in other.rows("Companies") if r.get("CustomerID")]) == 12
        assert other.rows("Contacts") == []
        (row,) = [r for r in other.rows("Sync runs") if r["Profile"] == "Contacts"]
        assert row["RunStatus"] == "Failed"
        assert "Imprt" in row["Message"]


def test_an_unreadable_mapping_says_where_it_stops_being_json(world):
    """Line and column."""
    person_types(world, "Customers", Mapping='[\n  {"source": "Name", "target": "Title"},\n  {"source": }\n]')
    result = refused(world, "run", "Customers", code=2)
    assert "line 3" in result.stderr
    assert "Mapping" in result.stderr


def test_a_token_in_a_profile_is_refused_and_not_repeated(world):
    """Secrets must not be stored in lists."""
    token = "Zk3vQ9xW7rT1pL5mN8bC2dF4gH6jK0sA9yU3iO5"
    person_types(world, "Customers", KeySource=token)
    result = refused(world, "run", "Customers", code=2)
    assert "Secrets must not be stored" in result.stderr
    assert token not in result.output


def test_a_token_typed_as_a_title_is_never_shown(world):
    """Not in the list of profiles either."""
    token = "Zk3vQ9xW7rT1pL5mN8bC2dF4gH6jK0sA9yU3iO5"
    person_types(world, "Customers", Title=token)
    result = CliRunner().invoke(app, ["profiles", "list"], env=world.environment())
    assert token not in result.output
    assert "(hidden)" in result.output


def test_a_list_over_the_threshold_is_explained(tmp_path, world):
    """A look-up on a column without index fails in a large list; the index is the next step."""
    with World(tmp_path, list_view_threshold=2) as large:
        large.set_up()
        field = f"{large.site_url}/_api/web/lists/getbytitle('Companies')/fields/getbyinternalnameortitle('CustomerID')"
        large.change(field, {"Indexed": False})
        result = CliRunner().invoke(app, ["explain", "1001"], env=large.environment())
        assert result.exit_code == 3, result.output
        assert "threshold" in result.stderr
        assert "provision" in result.stderr


@pytest.mark.parametrize("name", ["ECONOMIC_BASE_URL", "SHAREPOINT_SITE_URL"])
def test_a_server_that_is_down_is_worth_another_try_later(world, name, monkeypatch):
    """Exit code 6: nothing is wrong with the settings."""
    monkeypatch.setattr("worker.transport.Waits.wait", lambda *_: None)
    result = refused(world, "run", code=6, **{name: "http://127.0.0.1:9/sites/crm"})
    assert "could not be reached" in result.stderr or "is not reachable" in result.stderr


def certificate(folder: Path, *, days: int) -> str:
    """A self-signed PEM with key, valid from a year ago until `days` from now."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "crm")])
    now = datetime.now(UTC)
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    made = made.serial_number(1).not_valid_before(now - timedelta(days=365)).not_valid_after(now + timedelta(days=days))
    signed = made.sign(key, hashes.SHA256())
    path = folder / "crm.pem"
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path.write_bytes(private + signed.public_bytes(pem))
    return str(path)


def by_certificate(path: str) -> dict[str, str]:
    return {
        "SHAREPOINT_AUTH": "certificate",
        "SHAREPOINT_TENANT_ID": "contoso.onmicrosoft.com",
        "SHAREPOINT_CLIENT_ID": "11111111-2222-3333-4444-555555555555",
        "SHAREPOINT_CERTIFICATE_PATH": path,
    }


def test_an_expired_certificate_is_named_with_its_date(world, tmp_path):
    """Before any sign-in is tried."""
    result = refused(world, "run", code=2, **by_certificate(certificate(tmp_path, days=-1)))
    assert "expired" in result.stderr


def test_a_certificate_file_that_is_not_there_or_no_certificate_is_named(world, tmp_path):
    """A path mistake or a wrong file."""
    refused(world, "run", code=2, **by_certificate(str(tmp_path / "none.pfx")))
    (tmp_path / "letter.pem").write_text("Dear customer")
    refused(world, "run", code=2, **by_certificate(str(tmp_path / "letter.pem")))


def test_machine_output_stays_machine_output_when_things_go_wrong(world):
    """Errors go to standard error only."""
    result = CliRunner().invoke(app, ["run", "--json", "Nothing"], env=world.environment())
    assert result.exit_code == 2
    assert result.stdout == "" or json.loads(result.stdout) is not None
