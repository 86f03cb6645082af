"""A process that has imported the worker and forks one child per run: killing children costs no second of imports.

Protocol, line by line: standard input gets a JSON object of environment variables; standard output gives the child's
process id and, when it has ended, its exit status (negative = the signal that ended it).
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from typing import Self


class Zygote:
    """The test's end of it."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.zygote"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with self._process as process:
            process.kill()

    def start(self, environment: Mapping[str, str]) -> int:
        """Starts `economic-sync run --all` in a child; returns its process id."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(dict(environment)) + "\n")
        self._process.stdin.flush()
        return int(self._line())

    def ended(self) -> int:
        """Waits for the child's exit status."""
        return int(self._line())

    def _line(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline()


def serve() -> None:
    """Forks a child per line; stays single-threaded, so that forking is sound."""
    from worker.cli.app import main

    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            os.environ.update(json.loads(line))
            sys.argv = ["economic-sync", "run", "--all"]
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
            main()
        sys.stdout.write(f"{child}\n")
        sys.stdout.flush()
        _, status = os.waitpid(child, 0)
        sys.stdout.write(f"{os.waitstatus_to_exitcode(status)}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    serve()
