"""What every command shares: exit codes, tracebacks only when asked for, Ctrl-C, files, global options."""

from __future__ import annotations

import os
import signal
import stat
import threading
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
import typer

from worker import errors
from worker.cli.app import EPILOG, global_options_first
from worker.cli.context import INTERRUPTED, OPTIONS, UNEXPECTED, guarded, stop_on_interrupt, write_file
from worker.cli.demo import _make_anew
from worker.cli.demo_after import After
from worker.cli.demo_console import Console
from worker.cli.profiles import _file_name
from worker.cli.runs import exit_code
from worker.domain.profile import ImportType, Profile, SourceKind
from worker.domain.report import ControlLine, RunMode, RunReport, RunStatus, Trigger
from worker.domain.values import TargetKind
from worker.errors import ConfigError, Problem, WorkerError
from worker.settings import load_settings


@pytest.fixture
def debug(monkeypatch):
    monkeypatch.setattr(OPTIONS, "debug", True)


def ended(error: BaseException) -> int:
    """The exit code that an error leads to."""
    with pytest.raises(typer.Exit) as caught, guarded():
        raise error
    return caught.value.exit_code


def kinds(of: type[WorkerError]) -> list[type[WorkerError]]:
    return [of, *(one for kind in of.__subclasses__() for one in kinds(kind))]


def made(kind: type[WorkerError]) -> WorkerError:
    if kind is ConfigError:
        return ConfigError([Problem("A", "is wrong.")])
    if kind is errors.BrakeError:
        return errors.BrakeError("Too much.", reasons=["40 %"])
    return kind("It happened.")


@pytest.mark.parametrize("kind", [kind for kind in kinds(WorkerError) if kind is not errors.RowError])
def test_every_error_has_a_documented_exit_code(kind, capsys):
    """And is told without a traceback."""
    code = ended(made(kind))
    assert f"{code} " in EPILOG
    assert "Traceback" not in capsys.readouterr().err


@pytest.mark.parametrize("error", [KeyError("secret"), ZeroDivisionError("secret"), Exception("secret"), EOFError()])
def test_something_unexpected_is_named_by_its_type_only(error, capsys):
    """Its text may hold anything."""
    assert ended(error) == UNEXPECTED
    err = capsys.readouterr().err
    assert type(error).__name__ in err
    assert "--debug" in err
    assert "secret" not in err
    assert "Traceback" not in err


@pytest.mark.parametrize(("error", "code"), [(errors.StalePlanError("Moved."), 5), (KeyError("x"), UNEXPECTED)])
def test_debug_shows_the_traceback_and_keeps_the_exit_code(error, code, capsys, debug):
    """A script that watches exit codes does not notice --debug."""
    assert ended(error) == code
    assert "Traceback" in capsys.readouterr().err


def test_ctrl_c_outside_a_run_ends_quietly(capsys):
    """130, and how to go on."""
    assert ended(KeyboardInterrupt()) == INTERRUPTED
    assert "Run it again" in capsys.readouterr().err


@pytest.mark.parametrize("error", [typer.Exit(4), BrokenPipeError()])
def test_an_end_on_purpose_and_a_reader_that_left_are_no_errors_of_ours(error, capsys):
    """`runs | head` ends as any command does."""
    with pytest.raises(type(error)), guarded():
        raise error
    assert capsys.readouterr().err == ""


def test_the_first_signal_asks_and_the_second_ends(capsys):
    """And afterwards signals do what they did before."""
    before = signal.getsignal(signal.SIGINT)
    with stop_on_interrupt() as stop:
        signal.raise_signal(signal.SIGINT)
        assert stop.is_set()
        assert "after the batch in hand" in capsys.readouterr().err
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGTERM)
    assert signal.getsignal(signal.SIGINT) is before


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        (["plan", "--debug"], ["--debug", "plan"]),
        (
            ["run", "Contacts", "--config", "x.toml", "--verbose"],
            ["--config", "x.toml", "--verbose", "run", "Contacts"],
        ),
        (["profiles", "list", "--config=x.toml"], ["--config=x.toml", "profiles", "list"]),
        (["plan", "--config"], ["--config", "plan"]),
        (["run", "--", "--debug"], ["run", "--", "--debug"]),
        ([], []),
    ],
)
def test_global_options_may_stand_behind_the_command(typed, meant):
    """What follows -- is a profile's title, whatever it looks like."""
    assert global_options_first(typed) == meant


def report(status: RunStatus, *controls: ControlLine) -> RunReport:
    now = datetime(2026, 11, 25, tzinfo=UTC)
    return RunReport("r", "P", RunMode.APPLY, Trigger.TIMER, status, now, controls=controls)


GOOD = ControlLine("Balance", Decimal(1), Decimal(1))
OFF = replace(GOOD, target=Decimal(2))


@pytest.mark.parametrize(
    ("reports", "stopped", "code"),
    [
        ([], False, 0),
        ([report(RunStatus.SUCCEEDED, GOOD)], False, 0),
        ([report(RunStatus.SUCCEEDED), report(RunStatus.WITH_ERRORS)], False, 1),
        ([report(RunStatus.FAILED), report(RunStatus.WITH_ERRORS)], False, 2),
        ([report(RunStatus.BRAKED), report(RunStatus.FAILED)], False, 4),
        ([report(RunStatus.FAILED, OFF), report(RunStatus.BRAKED)], False, 7),
        ([report(RunStatus.PAUSED, OFF)], False, 130),
        ([report(RunStatus.SUCCEEDED)], True, 130),
    ],
)
def test_the_exit_code_tells_the_gravest_thing_that_happened(reports, stopped, code):
    """A stop comes first: its sums are not final."""
    assert exit_code(reports, stopped=stopped) == code


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such modes")
def test_a_file_of_ours_is_for_its_owner_only_also_when_it_was_open_before(tmp_path):
    """Plans hold names and addresses."""
    path = tmp_path / "plan.json"
    path.write_text("old")
    path.chmod(0o644)
    write_file(path, "new")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.read_text() == "new"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="Windows has no such files")
def test_a_pipe_or_device_keeps_its_rights(tmp_path):
    """`--html /dev/stdout` must not lock others out of a terminal."""
    path = tmp_path / "pipe"
    os.mkfifo(path)
    path.chmod(0o640)
    got: list[str] = []
    reader = threading.Thread(target=lambda: got.append(path.read_text()))
    reader.start()
    write_file(path, "page")
    reader.join(timeout=30)
    assert got == ["page"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_a_file_that_can_not_be_written_is_a_problem_with_a_next_step(tmp_path):
    """No directory is made behind a person's back."""
    with pytest.raises(ConfigError) as caught:
        write_file(tmp_path / "none" / "plan.json", "x")
    assert "can't be written" in caught.value.message
    assert caught.value.hint
    assert not (tmp_path / "none").exists()


def profile(title: str, order: int = 10) -> Profile:
    return Profile(title, SourceKind.CUSTOMER, TargetKind.COMPANY, ImportType.UPDATE, "K", "Number", (), order=order)


def test_profiles_get_files_of_their_own_whatever_their_titles():
    """Danish letters are spelled out; what looks the same is numbered."""
    taken: set[str] = set()
    for title in ("Kø & Værdi", "Kø? Værdi!", "客户", "顧客"):
        taken.add(_file_name(profile(title), taken))
    assert taken == {"10-koe-vaerdi.json", "10-koe-vaerdi-2.json", "10-profile.json", "10-profile-2.json"}


def test_the_demo_clears_its_own_data_and_nothing_else(tmp_path):
    """Databases go, the worker's directory stays; a stranger's file stops it before anything is removed."""
    (tmp_path / "economic.sqlite").write_text("x")
    (tmp_path / "worker").mkdir()
    _make_anew(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["worker"]
    (tmp_path / "sharepoint.sqlite").write_text("x")
    (tmp_path / "letter.txt").write_text("mine")
    with pytest.raises(ConfigError, match="letter"):
        _make_anew(tmp_path)
    assert (tmp_path / "sharepoint.sqlite").exists()


def test_after_the_demo_a_worker_finds_its_settings(tmp_path, monkeypatch):
    """The file .env that is left behind is complete."""
    for name in [name for name in os.environ if name.startswith(("ECONOMIC_", "SHAREPOINT_", "SYNC_", "CREATE_"))]:
        monkeypatch.delenv(name)
    url = "http://127.0.0.1:8810"
    after = After(
        tmp_path, url, "http://127.0.0.1:8820/sites/crm", datetime(2026, 11, 26, tzinfo=UTC).date(), "7", None
    )
    after.write_settings()
    monkeypatch.chdir(after.home)
    found = load_settings()
    assert found.economic.base_url == url
    assert found.sharepoint.auth == "static-token"
    assert (found.create.allow, found.create.group, found.create.currency) == (True, "1", "DKK")
    assert found.sync.as_of == datetime(2026, 11, 26, tzinfo=UTC).date()
    lines = list(after.lines())
    assert any(line.endswith(f"emulate --data {tmp_path}") for line in lines)
    assert any(line.endswith("explain 7") for line in lines)
    serving = replace(after, console=Console("http://127.0.0.1:8642", "http://127.0.0.1:8642/manage/login?token=x"))
    assert not any("emulate" in line for line in serving.lines())
    assert any(line.endswith("/economy/7") for line in serving.lines())
    assert Path(after.home / ".env").exists()
