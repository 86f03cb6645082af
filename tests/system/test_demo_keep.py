"""The demo that stays: console, card and lists at the addresses it prints, until somebody ends it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

_END_SECONDS = 60


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The running demo and what it printed."""
    command = [sys.executable, "-m", "worker", "demo", "--size", "tiny", "--data", str(tmp_path / "demo"), "--serve"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert process.stdout is not None
    printed = ""
    try:
        for line in process.stdout:
            printed += line
            if "Going live" in line:
                break
        yield process, printed
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def address(printed: str, part: str) -> str:
    """The address with this part, however the terminal broke the line."""
    found = re.search(rf"http://127\.0\.0\.1:\d+\S*{part}\S*", printed.replace("\n", " "))
    assert found, printed
    return found[0]


def test_a_visitor_can_click_through_all_of_it(kept):
    process, printed = kept
    visitor = requests.Session()
    home = visitor.get(address(printed, "/manage/login"), timeout=30)
    assert home.ok
    assert "Overview" in home.text
    console = home.url.partition("/manage")[0]
    assert "Succeeded" in visitor.get(f"{console}/manage/runs/default", timeout=30).text
    card = visitor.get(address(printed, "/economy/"), timeout=30)
    assert card.ok
    assert "Look up in e-conomic now" in card.text
    lists = visitor.get(f"{address(printed, '/sites/crm')}/Lists/Companies", timeout=30).text
    assert f"{console}/economy/" in lists, "customer numbers lead to the card"
    created(kept)
    process.send_signal(signal.SIGINT)
    process.wait(_END_SECONDS)
    assert process.returncode == 0


def created(kept: tuple[subprocess.Popen[str], str]) -> None:
    """The command the demo prints, from where it says, makes the waiting company a customer."""
    _, printed = kept
    item = re.search(r"create-customer (\d+)", printed)
    home = re.search(r"from the directory\s+(\S+)", printed)
    assert item
    assert home, printed
    command = [sys.executable, "-m", "worker", "create-customer", item[1]]
    environ = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run(command, cwd=home[1], env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "is customer" in done.stdout
