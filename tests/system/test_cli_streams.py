"""What a command leaves on a terminal, in a file, and in a script's hands when some profiles are wrong."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from tests.support.world import World
from worker.cli.app import app

TITLES = ("Customers", "Contacts", "Balances", "Sales history", "Invoices", "Sales statistics by period")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Provisioned, with profiles and prospects; nothing synced yet."""
    with World(tmp_path_factory.mktemp("streams")) as world:
        world.set_up()
        world.snapshot()
        yield world


@pytest.fixture(autouse=True)
def fresh(world: World) -> None:
    """Every test starts from the same lists."""
    world.restore()


def call(world: World, *arguments: str, code: int = 0, **more: str) -> Result:
    result = CliRunner().invoke(app, list(arguments), env={**world.environment(), **more})
    assert result.exit_code == code, (result.exit_code, result.stdout, result.stderr, result.exception)
    return result


def spoil(world: World, title: str = "Contacts") -> None:
    """A person types an import type that does not exist, with marks that a terminal would obey."""
    world.edit("Mapping profiles", "Title", title, {"ImportType": "[bold]Imprt \x1b[31m"})


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
def test_a_plan_in_a_file_is_whole_while_the_terminal_shows_progress(world, tmp_path):
    """Standard error is the terminal, standard output a file: each gets what is its own."""
    import pty

    ours, theirs = pty.openpty()
    out = tmp_path / "plan.json"
    with out.open("wb") as file:
        command = [sys.executable, "-m", "worker", "plan", "Customers", "--json"]
        environment = {**os.environ, **world.environment(), "TERM": "xterm-256color"}
        process = subprocess.Popen(command, stdout=file, stderr=theirs, env=environment)
        os.close(theirs)
        seen = _read_all(ours)
        assert process.wait(timeout=60) == 0
    assert len(json.loads(out.read_text(encoding="utf-8"))["profiles"][0]["changes"]) == 12
    assert b"reading CRM Company items" in seen
    assert b'"changes"' not in seen


def _read_all(terminal: int) -> bytes:
    seen = b""
    try:
        while piece := os.read(terminal, 65_536):
            seen += piece
    except OSError:  # how Linux says that the other side has closed
        pass
    finally:
        os.close(terminal)
    return seen


def test_a_reader_that_leaves_early_is_no_error(world):
    """`profiles list | head -1` shows a line and nothing else."""
    process = subprocess.Popen(
        [sys.executable, "-m", "worker", "profiles", "export"],
        env={**os.environ, **world.environment()},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    err = process.stderr.read()
    process.stderr.close()
    process.wait(timeout=60)
    assert b"unexpected" not in err
    assert b"Traceback" not in err


def test_a_plan_shows_what_it_can_and_fails_for_what_it_can_not(world, tmp_path):
    """One wrong profile hides neither itself nor the others; a plan file of the others is written."""
    spoil(world)
    file = tmp_path / "plan.json"
    result = call(world, "plan", "--limit", "1", "--out", str(file), code=2)
    assert result.stdout.count("as of 2026-11-25") == 5
    assert "1 profile could not be read" in result.stderr
    assert "Imprt" in result.stderr
    assert "Next: correct the list" in result.stderr
    assert "\x1b" not in result.output
    assert len(json.loads(file.read_text(encoding="utf-8"))["profiles"]) == 5
    assert "Imprt" in call(world, "explain", "1001").stderr


def test_check_names_wrong_profiles_and_missing_columns_at_once(world):
    """Not one after the other, run after run."""
    spoil(world)
    elsewhere = json.dumps({"CRM Company": {"City": "Nowhere"}})
    err = call(world, "check", code=2, SHAREPOINT_COLUMNS=elsewhere).stderr
    assert "Imprt" in err
    assert "Nowhere" in err


def test_when_no_profile_is_enabled_it_is_said(world):
    """Nothing to do is no error, and no silence."""
    for title in TITLES:
        world.edit("Mapping profiles", "Title", title, {"Enabled": False})
    for command in (["run"], ["plan"], ["check"]):
        assert "No profile is enabled" in call(world, *command).stderr
    assert json.loads(call(world, "run", "--json").stdout) == []
    assert world.rows("Sync runs") == []


def test_a_customer_is_explained_to_a_person(world):
    """Source record, counts, and each column with its rule and what a run would do."""
    out = call(world, "explain", "1001").stdout
    assert "Customer 1001 in e-conomic" in out
    assert "booked invoice" in out
    assert "OldestOverdueDays" in out
    (line,) = [
        line for line in out.splitlines() if line.strip().startswith("CINumber  ") and "would be written" in line
    ]
    assert "CINumber (cvr_digits)" in line
    assert "ERP owns" in line
    assert "(blank) -> " in line


def test_rows_that_wait_for_a_company_of_the_same_plan_name_it(world):
    """Every left-out row says which customer it is about."""
    out = call(world, "plan", "--limit", "0").stdout
    waiting = [line for line in out.splitlines() if "created by the same plan" in line]
    assert len(waiting) > 12
    assert not [line for line in waiting if "Customer ID ?" in line]


def test_a_plan_for_programs_has_cost_and_brake(world):
    """Forecast in requests, units and minutes; nothing braked on a first load."""
    data = json.loads(call(world, "plan", "--json").stdout)
    assert data["agreement"] == 1482735
    assert [one["profile"] for one in data["profiles"]] == list(TITLES)
    assert data["profiles"][0]["counts"]["create"] == 12
    assert data["profiles"][0]["resourceUnits"] == 24
    assert data["profiles"][0]["brake"] == []
    assert data["writeRequests"] == sum(one["writeRequests"] for one in data["profiles"])


def test_a_plan_that_can_not_be_written_is_a_mistake_of_the_place(world, tmp_path):
    """Exit code 2 with the next step, for the plan file and for the page."""
    for option in ("--out", "--html"):
        err = call(world, "plan", "Customers", option, str(tmp_path / "none" / "x"), code=2).stderr
        assert "can't be written" in err
        assert "Next: " in err


def test_debug_may_stand_behind_the_command(world):
    """As the hint of an unexpected error asks for it."""
    err = call(world, "plan", "Nope", "--debug", code=2).stderr
    assert "Traceback" in err
    assert "does not exist" in err
    assert "Traceback" not in call(world, "plan", "Nope", code=2).stderr


def test_runs_of_an_empty_list_say_so(world):
    """Silence could mean anything."""
    result = call(world, "runs")
    assert "No run stands" in result.stderr
    assert result.stdout == ""


def test_profiles_are_exported_as_one_list_and_a_wrong_one_is_named(world, tmp_path):
    """The good ones are there all the same."""
    assert [one["title"] for one in json.loads(call(world, "profiles", "export").stdout)] == list(TITLES)
    spoil(world)
    result = call(world, "profiles", "export", str(tmp_path / "out"), code=2)
    assert len(list(Path(tmp_path, "out").glob("*.json"))) == 5
    assert "Imprt" in result.stderr


def test_two_files_of_one_title_are_refused_before_anything_is_saved(world, tmp_path):
    """The second would overwrite the first."""
    text = call(world, "profiles", "show", "Customers").stdout
    for name in ("a.json", "b.json"):
        (tmp_path / name).write_text(text.replace('"Customers"', '"Twice"'), encoding="utf-8-sig")
    err = call(world, "profiles", "import", str(tmp_path / "a.json"), str(tmp_path / "b.json"), code=2).stderr
    assert "more than one file" in err
    assert "Twice" not in call(world, "profiles", "list").stdout
    call(world, "profiles", "import", str(tmp_path / "a.json"))
    assert "Twice" in call(world, "profiles", "list").stdout
