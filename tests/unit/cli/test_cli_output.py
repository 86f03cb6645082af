"""Words on both streams: nothing from outside is markup or controls the terminal; errors say the next step."""

from __future__ import annotations

import io
import json
import sys
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from worker.cli.output import say, say_json, say_json_text, set_up_streams, tell, tell_error
from worker.cli.progress import RichProgress
from worker.cli.reports import control_lines, report_data, report_table
from worker.domain.report import ControlLine, Ledger, RunMode, RunReport, RunStatus, Trigger
from worker.errors import ConfigError, FatalError, Problem

NASTY = "[bold]A[/bold] \x1b[31m\u202eB\x9bC"


def report(profile: str = "Sales statistics by period", **more: object) -> RunReport:
    now = datetime(2026, 11, 25, 1, tzinfo=UTC)
    base = {
        "run_id": "r1",
        "profile": profile,
        "mode": RunMode.APPLY,
        "trigger": Trigger.TIMER,
        "status": RunStatus.SUCCEEDED,
        "started": now,
        "finished": now,
        "ledger": Ledger(25_000, 24_000, 1, 2, 3, 4, 5),
        "source_requests": 30,
        "target_requests": 1_470,
        "units": 50_000.4,
    }
    return RunReport(**{**base, **more})  # type: ignore[arg-type]


def drawn(what: object, width: int) -> str:
    out = io.StringIO()
    Console(file=out, width=width, highlight=False, soft_wrap=True).print(what)
    return out.getvalue()


def test_results_go_to_standard_output_without_control_characters(capsys):
    """Markup stays text; escapes and direction marks are gone."""
    say(NASTY, "  indented")
    out, err = capsys.readouterr()
    assert out == "[bold]A[/bold] [31mBC\n  indented\n"
    assert err == ""


def test_what_is_going_on_goes_to_standard_error_line_by_line(capsys):
    """Messages of several lines keep them."""
    tell(f"one\n{NASTY}", "yellow")
    out, err = capsys.readouterr()
    assert out == ""
    assert err == "one\n[bold]A[/bold] [31mBC\n"


def test_an_error_has_its_next_step_and_each_problem_its_line(capsys):
    """One problem is the sentence; several are a list."""
    tell_error(FatalError("It is off.", hint="Switch it on."))
    assert capsys.readouterr().err == "It is off.\nNext: Switch it on.\n"
    tell_error(ConfigError([Problem("A", "is wrong."), Problem("B", "is worse.", ("x", "y"))], hint="Correct it."))
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "2 problems were found."
    assert lines[1:] == ["  - A: is wrong.", "  - B: is worse. Allowed: x, y.", "Next: Correct it."]
    tell_error(ConfigError([Problem("A", "is wrong.")]))
    assert capsys.readouterr().err == "A: is wrong.\n"


@given(st.text())
def test_json_means_the_same_and_controls_no_terminal(text):
    """What a terminal would obey is written as an escape."""
    kept, sys.stdout = sys.stdout, io.StringIO()
    try:
        say_json({"text": text})
        said = sys.stdout.getvalue()
    finally:
        sys.stdout = kept
    assert json.loads(said) == {"text": text}
    assert not any(mark in said for mark in "\x1b\x9b\u202e\u2066\u200f\ufeff")


def test_json_has_money_as_text_and_times_in_iso(capsys):
    """No reader rounds it; every reader understands it."""
    say_json([Decimal("1.50"), datetime(2026, 1, 2, 3, tzinfo=UTC), date(2026, 1, 2)])
    assert json.loads(capsys.readouterr().out) == ["1.50", "2026-01-02T03:00:00+00:00", "2026-01-02"]
    say_json_text('{"a": 1}\n\n')
    assert capsys.readouterr().out == '{"a": 1}\n'


def test_a_pipe_takes_danish_and_arrows_whatever_its_encoding(monkeypatch):
    """An old Windows encoding would end the command in the middle of a result."""
    buffer = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(buffer, encoding="cp1252"))
    set_up_streams()
    say("Åse → ⏎")
    sys.stdout.flush()
    assert buffer.getvalue().decode("utf-8") == "Åse → ⏎\n"


@pytest.mark.parametrize("width", [80, 100, 120, 200])
def test_the_table_fits_its_terminal_and_cuts_nothing(width):
    """Also on 80 columns with five-digit numbers: short names, and the profile's title on two lines."""
    text = drawn(report_table([report()], width), width)
    assert "…" not in text
    assert all(len(line) <= width for line in text.splitlines())
    for number in ("25,000", "24,000", "1,500", "50,000", "ok"):
        assert number in text
    assert ("created" in text) == (width >= 115)
    assert ("new" in text) == (width < 115)


def test_the_table_takes_a_title_as_it_is():
    """Brackets are no markup."""
    assert "[bold]A[/bold] [31mBC" in drawn(report_table([report(NASTY)], 120), 120)


def test_control_sums_show_where_they_differ():
    """Equal ones with a mark; different ones say so, against the list and against e-conomic's own total."""
    same = ControlLine("Balance", Decimal("1234.5"), Decimal("1234.5"), own_total=Decimal("1234.5"))
    off = ControlLine("Sales", Decimal(2), Decimal(3), ("7",), own_total=Decimal(4), left_out=Decimal(1))
    first, second = (line.plain for line in control_lines([report("P", controls=(same, off))]))
    assert first == "  ok   P: Balance e-conomic 1,234.5 = list 1,234.5 = e-conomic's own total 1,234.5"
    assert second.startswith("  DIFF  P: Sales e-conomic 2 is not list 3 is not e-conomic's own total 4")
    assert second.endswith("(rows left out: 1)")


def test_a_report_as_data_has_the_whole_ledger():
    """For programs that watch the nightly job."""
    data = report_data(report(controls=(ControlLine("Balance", Decimal(1), Decimal(2), ("7",)),)))
    rows = data["rows"]
    assert rows["source"] == 25_000
    assert {name: rows[name] for name in ("created", "updated", "unchanged", "skipped", "failed", "flagged")} == {
        "created": 24_000,
        "updated": 1,
        "unchanged": 2,
        "skipped": 3,
        "failed": 4,
        "flagged": 5,
    }
    assert data["controls"][0]["agrees"] is False
    assert data["controls"][0]["rowsOff"] == ["7"]


def stepped(console: Console) -> None:
    with RichProgress(console) as progress:
        progress.started(f"{NASTY}: writing", 250)
        progress.advanced(100)
        progress.advanced(150)
        progress.finished()
        progress.started("nothing to do", None)
        progress.finished()
        progress.started("cut off", 10)
        progress.advanced(1)


def test_progress_in_a_log_is_one_line_per_step():
    """Steps without work leave none; a step that an error cut off leaves none either."""
    out = io.StringIO()
    stepped(Console(file=out, force_terminal=False))
    assert out.getvalue() == "  [bold]A[/bold] [31mBC: writing: 250\n"


def test_progress_on_a_terminal_is_a_bar_that_goes_when_its_step_is_over():
    """While results are printed nothing is drawn, and standard output stays what it was."""
    out = io.StringIO()
    console = Console(file=out, force_terminal=True, width=80)
    with RichProgress(console) as progress:
        progress.started("writing", 2)
        before = sys.stdout
        progress.advanced(2)
        assert sys.stdout is before
        progress.finished()
        drawn_so_far = out.getvalue()
        assert "2/2" in drawn_so_far
        assert drawn_so_far.rstrip().endswith("writing: 2")
        print("a result", file=out)
    assert out.getvalue().endswith("a result\n"), "leaving draws nothing over it"


def test_standard_output_is_not_taken_over_while_a_bar_is_drawn(monkeypatch):
    """`plan --json > file` on a terminal: the file gets the plan, not the terminal."""
    stdout, terminal = io.StringIO(), io.StringIO()
    monkeypatch.setattr(sys, "stdout", stdout)
    with RichProgress(Console(file=terminal, force_terminal=True)) as progress:
        progress.started("reading", None)
        say("result")
        progress.finished()
    assert stdout.getvalue() == "result\n"
    assert "result" not in terminal.getvalue()
