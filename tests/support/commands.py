"""Commands as an operator types them, in this process."""

from __future__ import annotations

import json
from typing import Any

from typer.testing import CliRunner

from worker.cli.app import app


def command(*words: str, ends: int | None = 0) -> Any:
    """What it prints, or with `--json` its data. `ends`: its exit code; None where that does not matter."""
    result = CliRunner().invoke(app, list(words))
    assert ends is None or result.exit_code == ends, result.output
    return json.loads(result.stdout) if "--json" in words else result.output
