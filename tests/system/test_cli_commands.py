"""Each command as a person types it, against both emulators."""

from __future__ import annotations

import json
import logging
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from filelock import FileLock
from typer.testing import CliRunner

from tests.support.world import World
from worker.cli.app import app


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Provisioned, with profiles and prospects; nothing synced yet."""
    with World(tmp_path_factory.mktemp("cli")) as world:
        world.set_up()
        world.snapshot()
        yield world


@pytest.fixture(autouse=True)
def fresh(world: World) -> None:
    """Every test starts from the same lists and the same day."""
    world.restore()


def call(world: World, *arguments: str, code: int = 0, **more: str) -> Result:
    """Runs a command in this process; its exit code must be as told, and it never shows a traceback or the token."""
    result = CliRunner().invoke(app, list(arguments), env={**world.environment(), **more})
    assert result.exit_code == code, (result.exit_code, result.stdout, result.stderr, result.exception)
    assert "Traceback" not in result.output
    assert "test-token" not in result.output
    assert "test-app-secret" not in result.output
    return result


def test_check_shows_who_is_connected_and_what_may_be_done(world):
    """Company, agreement, base currency and roles; site, rights, lists; every profile bound."""
    out = call(world, "check").stdout
    assert "agreement 1482735" in out
    assert "base currency DKK" in out
    assert "may read, write, provision" in out
    assert "Profiles: 6 enabled, every column is bound." in out


def test_provision_says_what_it_would_do_and_then_has_nothing_left_to_do(world, tmp_path):
    """Dry run changes nothing; a second run finds nothing missing."""
    with World(tmp_path, "empty") as empty:
        dry = call(empty, "provision", "--dry-run").stdout
        assert "would " in dry
        assert "Customers" in dry
        assert "missing" in call(empty, "check", code=2).stdout
        call(empty, "provision")
        assert call(empty, "provision").stdout == "Nothing is missing.\n"
        assert "every column is bound" in call(empty, "check").stdout


def test_profiles_can_be_listed_shown_exported_imported_and_linted(world, tmp_path):
    """What is exported is imported again without a change."""
    out = call(world, "profiles", "list").stdout
    assert out.count("\n") == 6
    rows = json.loads(call(world, "profiles", "list", "--json").stdout)
    assert [row["title"] for row in rows][:3] == ["Customers", "Contacts", "Balances"]
    assert json.loads(call(world, "profiles", "show", "customers").stdout)["keyTarget"] == "CustomerID"
    call(world, "profiles", "export", str(tmp_path))
    files = sorted(map(str, tmp_path.glob("*.json")))
    assert len(files) == 6
    world.control("sharepoint", "stats/reset", {})
    call(world, "profiles", "import", *files)
    assert world.control("sharepoint", "stats")["total"]["writes"] == 0
    assert "no problems" in call(world, "profiles", "lint").stdout
    assert "no problems" in call(world, "profiles", "lint", *files).stdout


def test_import_checks_all_files_before_it_saves_any(world, tmp_path):
    """Each problem of each file is named."""
    good, bad = tmp_path / "good.json", tmp_path / "bad.json"
    good.write_text(call(world, "profiles", "show", "Customers").stdout.replace('"Customers"', '"Other"'))
    bad.write_text('{"title": "Bad", "source": "Debtor", "target": "CRM Company", "mapping": [{"target": "Title"}]}')
    err = call(world, "profiles", "import", str(good), str(bad), code=2).stderr
    assert "file bad.json" in err
    assert "Other" not in call(world, "profiles", "list").stdout


def test_plan_shows_every_change_and_writes_nothing(world, tmp_path):
    """As text with counts and forecast, as JSON, as Markdown, as a page."""
    world.control("sharepoint", "stats/reset", {})
    text = call(world, "plan", "--limit", "0").stdout
    assert "12 create, 0 update" in text
    assert "resource units" in text
    assert text.count("Create 1") >= 12
    data = json.loads(call(world, "plan", "--json", "Customers").stdout)
    assert len(data["profiles"][0]["changes"]) == 12
    assert "| Create |" in call(world, "plan", "--markdown", "Customers").stdout
    page = tmp_path / "plan.html"
    call(world, "plan", "--html", str(page))
    assert page.read_text(encoding="utf-8").count("<h2>") == 6
    assert "--limit 0" not in page.read_text(encoding="utf-8")
    call(world, "plan", "Customers", "--html", str(page), "--limit", "1")
    assert "--limit 0 shows all" in page.read_text(encoding="utf-8")
    assert world.control("sharepoint", "stats")["total"]["writes"] == 0


def test_apply_does_exactly_the_plan_on_file_and_refuses_it_the_second_time(world, tmp_path):
    """A plan is good for the world it was made for."""
    file = tmp_path / "plan.json"
    call(world, "plan", "Customers", "--out", str(file))
    assert oct(file.stat().st_mode)[-3:] == "600" or os.name == "nt"
    planned = {change["key"] for change in json.loads(file.read_text())["profiles"][0]["plan"]["changes"]}
    call(world, "apply", str(file))
    assert {row["CustomerID"] for row in world.rows("Companies") if row.get("CustomerID")} == planned
    assert "no longer what would be done now" in call(world, "apply", str(file), code=5).stderr


@pytest.mark.parametrize("harm", ["key", "agreement", "broken", "version", "missing"])
def test_apply_refuses_a_file_that_was_harmed_or_belongs_elsewhere(world, tmp_path, harm):
    """Altered, another agreement, unreadable, another version, not there."""
    file = tmp_path / "plan.json"
    call(world, "plan", "Customers", "--out", str(file))
    data: dict[str, Any] = json.loads(file.read_text())
    if harm == "key":
        data["profiles"][0]["plan"]["changes"][0]["key"] = "999"
    if harm in ("agreement", "version"):
        data[harm] = 77
    file.write_text("{" if harm == "broken" else json.dumps(data))
    if harm == "missing":
        file.unlink()
    call(world, "apply", str(file), code=3 if harm == "missing" else 5)
    assert not [row for row in world.rows("Companies") if row.get("CustomerID")]


def test_apply_refuses_when_the_profile_was_changed(world, tmp_path):
    """Another mapping is another plan."""
    file = tmp_path / "plan.json"
    call(world, "plan", "Contacts", "--out", str(file))
    profile = json.loads(call(world, "profiles", "show", "Contacts").stdout)
    profile["onBlank"] = "Clear"
    changed = tmp_path / "contacts.json"
    changed.write_text(json.dumps(profile))
    call(world, "profiles", "import", str(changed))
    assert "profile was changed" in call(world, "apply", str(file), code=5).stderr


def test_run_does_the_nightly_job_and_the_run_list_shows_it(world):
    """Twice: the second time nothing is left to do."""
    out = call(world, "run", "--all", "--trigger", "timer").stdout
    assert "Sales statistics by period" in out
    assert "e-conomic's own total" in out
    again = json.loads(call(world, "run", "--json").stdout)
    assert all(report["rows"]["created"] == report["rows"]["updated"] == 0 for report in again)
    listed = call(world, "runs").stdout
    assert listed.count("Succeeded") == 12
    assert json.loads(call(world, "runs", "--json", "--limit", "3").stdout)[0]["status"] == "Succeeded"
    assert {row["RunTrigger"] for row in world.rows("Sync runs")} == {"Timer", "Manual"}


def test_requests_in_the_list_of_profiles_are_planned_and_run(world):
    """A person sets Run request; the worker takes it up once and reports in the run list."""
    world.edit("Mapping profiles", "Title", "Customers", {"RunRequest": "Apply"})
    world.edit("Mapping profiles", "Title", "Contacts", {"RunRequest": "Plan"})
    assert "Contacts" in call(world, "run", "--requested").stdout
    assert len([row for row in world.rows("Companies") if row.get("CustomerID")]) == 12
    assert world.rows("Contacts") == []
    runs = {row["Profile"]: row for row in world.rows("Sync runs")}
    assert runs["Customers"]["RunMode"] == "Apply"
    assert (runs["Contacts"]["RunMode"], runs["Contacts"]["FailedRows"]) == ("Plan", 14)
    assert {row["RunRequest"] for row in world.rows("Mapping profiles")} <= {None, "None"}
    assert "Nobody asked" in call(world, "run", "--requested").stderr


def test_logs_hold_neither_secrets_nor_personal_data(world, caplog, monkeypatch):
    """Every decision logged, faults and a failing row included: keys yes, names and addresses no."""
    row = {**world.data.customers[0], "name": "Hemmelig Person" + "N" * 250}
    world.control("economic", "mutate", {"customers": [row]})
    world.control("sharepoint", "faults", {"once": {"503": 1, "500-after-commit": 1}})
    monkeypatch.setattr("worker.transport.Waits.wait", lambda *_: None)
    caplog.set_level(logging.DEBUG, "worker")
    log = call(world, "run", code=1).stderr + caplog.text
    assert "retry" in log
    assert "test-token" not in log
    assert "test-app-secret" not in log
    assert "Hemmelig" not in log
    for customer in world.data.customers:
        for field in ("email", "address", "telephoneAndFaxNumber"):
            assert not customer.get(field) or str(customer[field]) not in log
    assert all(str(contact["name"]) not in log for contact in world.data.contacts)


def test_explain_tells_the_whole_story_of_one_customer(world):
    """Source value, rule, what stands in the CRM, and what a run would do."""
    number = str(world.data.customers[0]["customerNumber"])
    assert "Create" in call(world, "explain", number).stdout
    call(world, "run")
    story = json.loads(call(world, "explain", number, "--json").stdout)
    assert [profile["verdict"] for profile in story["profiles"]] == ["Unchanged"] * 3
    fields = {field["column"]: field for field in story["profiles"][0]["fields"]}
    assert fields["CustomerID"]["standing"] == number
    assert fields["Title"]["says"] == "equal"
    assert story["source"]["Name"] == world.data.customers[0]["name"]
    mine = [contact for contact in world.data.contacts if str(contact["customerNumber"]) == number]
    assert story["contacts"] == len([contact for contact in mine if not contact.get("deleted")])
    assert "no customer 4711" in call(world, "explain", "4711", code=3).stderr


def test_an_unknown_profile_is_refused_with_the_known_ones(world):
    """Exit code 2, and what there is."""
    err = call(world, "run", "Custmers", code=2).stderr
    assert "Custmers" in err
    assert "Customers" in err


def test_two_runs_at_once_are_refused(world):
    """The second one says so and ends."""
    folder = world.folder / "data"
    folder.mkdir(exist_ok=True)
    with FileLock(folder / "run.lock"):
        assert "Another run" in call(world, "run", code=8).stderr


def test_the_brake_stops_a_mass_change_until_really_yes(world):
    """Exit code 4 with the numbers; --yes-really goes on."""
    with World(world.folder / "brake", "small") as big:
        big.set_up()
        big.run()
        renamed = [{**c, "name": f"X {c['name']}"[:200]} for c in big.data.customers]
        big.control("economic", "mutate", {"customers": renamed})
        err = call(big, "run", "Customers", code=4).stderr
        assert "limit 30 %" in err
        assert "--yes-really" in err
        assert "BRAKE" in call(big, "plan", "Customers").stdout
        call(big, "run", "Customers", "--yes-really")


def test_ctrl_c_stops_after_the_batch_in_hand_and_the_next_run_goes_on(world):
    """Exit code 130; what was sent is settled, the rest follows later."""
    world.control("sharepoint", "hold", {"at": 22, "when": "after"})
    process = subprocess.Popen(
        [sys.executable, "-m", "worker", "run"],
        env={**os.environ, **world.environment()},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert world.control("sharepoint", "hold/wait")["holding"]
    process.send_signal(signal.SIGINT)
    assert process.stderr is not None
    heard = ""
    while "Stopping after the batch" not in heard:
        heard += process.stderr.readline()
    world.release("sharepoint")
    _, rest = process.communicate(timeout=60)
    assert process.returncode == 130, heard + rest
    assert "goes on where it stopped" in rest
    assert "Traceback" not in rest
    call(world, "run")
    assert len([row for row in world.rows("Companies") if row.get("CustomerID")]) == 12


def test_help_documents_the_exit_codes(world):
    """They are part of the interface."""
    assert "Exit codes" in call(world, "--help").stdout


def test_the_demo_ends_well_and_says_where_to_look(tmp_path):
    """The whole story, as `make demo` shows it."""
    result = CliRunner().invoke(app, ["demo", "--size", "tiny", "--data", str(tmp_path / "demo")])
    assert result.exit_code == 0, result.output
    assert "no row of the CRM's lists was written" in result.stdout
    assert result.stdout.count("ok   the worker's own count") == 3
    assert "Pacing is off" in result.stdout
    assert "WRONG" not in result.stdout
    assert "DIFF" not in result.stdout
    assert "Where to look" in result.stdout
    assert f"emulate --data {tmp_path / 'demo'}" in result.stdout.replace("\n", "")
    assert "SHAREPOINT_SITE_URL=" in (tmp_path / "demo" / "worker" / ".env").read_text()


@pytest.mark.slow
@pytest.mark.long
def test_the_demo_of_a_typical_agreement_ends_well(tmp_path):
    """So many typed companies are linked there that the first plan must be let past the brake."""
    result = CliRunner().invoke(app, ["demo", "--size", "typical", "--data", str(tmp_path / "demo")])
    assert result.exit_code == 0, result.output
    assert "An administrator lets it pass" in result.stdout
    assert "WRONG" not in result.stdout


def test_the_demo_never_clears_a_directory_that_is_not_its_own(tmp_path):
    """It names what it found there."""
    (tmp_path / "letters.txt").write_text("mine")
    result = CliRunner().invoke(app, ["demo", "--data", str(tmp_path)])
    assert result.exit_code == 2
    assert (tmp_path / "letters.txt").exists()


def test_emulate_serves_both_services_until_sigterm(tmp_path):
    """One line when ready; data stay for the next time; a clean end."""
    arguments = ["emulate", "--json", "--data", str(tmp_path), "--size", "tiny"]
    ports = ["--economic-port", "0", "--sharepoint-port", "0", "--token", "other", "--switch", "short_etag=refused"]
    process = subprocess.Popen(
        [sys.executable, "-m", "worker", *arguments, *ports, "--fault", "429=0.0"], stdout=subprocess.PIPE, text=True
    )
    with process:
        assert process.stdout is not None
        ready = json.loads(process.stdout.readline())
        assert set(ready) == {"economic", "sharepoint", "site"}
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=30) == 0
    assert Path(tmp_path, "economic.sqlite").exists()


@pytest.mark.parametrize("wrong", [["--fault", "nonsense=1"], ["--switch", "short_etag=maybe"], ["--size", "huge"]])
def test_emulate_names_what_is_allowed(tmp_path, wrong):
    """Unknown faults, switch positions and sizes."""
    result = CliRunner().invoke(app, ["emulate", "--data", str(tmp_path), *wrong])
    assert result.exit_code == 2
    assert "Allowed" in result.stderr or "allowed" in result.stderr or "small" in result.stderr
