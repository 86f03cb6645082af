"""A process that has imported the worker and forks one child per run: killing children costs no second of imports.

Protocol, line by line: standard input gets a JSON list of a command's words and an object of environment variables;
standard output gives the child's process id and, when it has ended, its exit status (negative = the signal that
ended it).
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Self

from tests.support.world import World


class Zygote:
    """The test's end of it."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.zygote"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            cwd=Path(__file__).parents[2],
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with self._process as process:
            process.kill()

    def start(self, environment: Mapping[str, str], words: Sequence[str] = ("run", "--all")) -> int:
        """Starts `economic-sync` in a child; returns its process id."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps([list(words), dict(environment)]) + "\n")
        self._process.stdin.flush()
        return int(self._line())

    def ended(self) -> int:
        """Waits for the child's exit status."""
        return int(self._line())

    def _line(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline()


def killed_at(
    world: World, zygote: Zygote, where: tuple[str, int, str], words: list[str], environ: dict[str, str]
) -> bool:
    """Starts a command and kills it (SIGKILL) while the chosen request is in hand: side, number, before or after it is
    handled. False when the worker ended before it came so far."""
    side, at, when = where
    world.control(side, "hold", {"at": at, "when": when})
    child = zygote.start(environ, words)
    with ThreadPoolExecutor(1) as pool:
        ended = pool.submit(zygote.ended)
        ended.add_done_callback(lambda _: world.release(side))
        holding: bool = world.control(side, "hold/wait")["holding"]
        if holding:
            os.kill(child, signal.SIGKILL)
        status = ended.result()
        assert holding or status == 0, (where, status)
    return holding


def serve() -> None:
    """Forks a child per line; stays single-threaded, so that forking is sound."""
    from worker.cli.app import main

    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            words, environment = json.loads(line)
            os.environ.update(environment)
            sys.argv = ["economic-sync", *words]
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
            main()
        sys.stdout.write(f"{child}\n")
        sys.stdout.flush()
        _, status = os.waitpid(child, 0)
        sys.stdout.write(f"{os.waitstatus_to_exitcode(status)}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    serve()
