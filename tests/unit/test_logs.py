"""Log lines: fields of the run, one object a line, no secrets."""

from __future__ import annotations

import contextvars
import io
import json
import logging
import threading
from collections.abc import Iterator

import pytest
from office365.runtime.types.event_handler import EventHandler

from worker.errors import UnavailableError
from worker.logs import Masked, set_up_logs
from worker.telemetry import log_context

SECRET = "tok-3f9a77c1-very-secret"


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    stream = io.StringIO()
    set_up_logs("json", logging.INFO, [SECRET], stream)
    yield stream
    root.handlers[:] = before
    root.setLevel(level)


def last(stream: io.StringIO) -> dict[str, str]:
    data: dict[str, str] = json.loads(stream.getvalue().splitlines()[-1])
    return data


def test_a_line_is_one_object_with_the_runs_names(lines):
    with log_context(job="j1", connection="acme"), log_context(run="r1"):
        logging.getLogger("worker.x").info("written rows=%d æøå", 7)
    line = last(lines)
    assert line["message"] == "written rows=7 æøå"
    assert (line["job"], line["connection"], line["run"], line["level"]) == ("j1", "acme", "r1", "INFO")
    assert line["time"].endswith("+00:00")


def test_the_names_end_with_their_block(lines):
    with log_context(job="j1"):
        pass
    logging.getLogger("worker.x").info("later")
    assert "job" not in last(lines)


def test_a_thread_with_a_copied_context_keeps_the_names(lines):
    with log_context(job="j1"):
        context = contextvars.copy_context()
    thread = threading.Thread(target=context.run, args=(logging.getLogger("worker.x").info, "from a thread"))
    thread.start()
    thread.join()
    assert last(lines)["job"] == "j1"


def test_an_error_has_its_class_and_trace(lines):
    try:
        raise ValueError(f"bad {SECRET}")
    except ValueError:
        logging.getLogger("worker.x").exception("failed")
    line = last(lines)
    assert line["error"] == "ValueError"
    assert "test_logs.py" in line["traceback"]
    assert SECRET not in lines.getvalue()


def test_what_the_client_library_raises_is_not_logged_too(lines):
    """It logs each error of a listener with its trace, before the user reads our sentence about it."""

    def listener() -> None:
        raise UnavailableError("SharePoint could not be reached.")

    handler: EventHandler[[]] = EventHandler()
    handler += listener
    with pytest.raises(UnavailableError):
        handler.notify()
    assert lines.getvalue() == ""


@pytest.mark.parametrize(
    "text",
    [
        f"token {SECRET} refused",
        "Authorization: Bearer abcdefghijklmnop.qrs",
        "got eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0.signature",
        "GET /x?code=0123456789abcdef&b=1",
        "https://h/x?sv=1&sig=0123456789abcdef",
    ],
)
def test_secrets_are_masked_whoever_logs_them(text):
    masked = Masked([SECRET]).masked(text)
    assert "***" in masked
    for planted in (SECRET, "abcdefghijklmnop", "eyJhbGciOiJub25lIn0", "0123456789abcdef"):
        assert planted not in masked


def test_a_secret_among_the_arguments_is_masked(lines):
    logging.getLogger("worker.x").warning("refused %s", SECRET)
    assert last(lines)["message"] == "refused ***"


def test_short_values_do_not_mask_words():
    assert Masked(["a", "run"]).masked("a run of rows") == "a run of rows"
