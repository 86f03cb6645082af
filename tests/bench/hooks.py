"""`python -m tests.bench.hooks [--calls 2000] [--together 40]`: how calls of webhooks are answered when many come.

The server is a process of its own, as `serve` is, over its own file. Prints what was answered, the seconds to an answer
(median, 99th of a hundred, longest), and whether each call is stored.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import requests

from tests.bench.side import Emulators
from worker.cli.serve import listen, serving
from worker.engine.hints import HintBook
from worker.settings import load_installation
from worker.web.app import create_app
from worker.wiring.engine import Host, open_stores
from worker.wiring.hooks import economic_address


def serve() -> None:
    """Prints the address of the hook; at the end of its input, how many calls are stored."""
    listening = listen("127.0.0.1", 0)
    address = f"http://127.0.0.1:{listening.getsockname()[1]}"
    installation = load_installation()
    host = Host(installation, open_stores(installation))
    with host, serving(create_app(host), listening):
        sys.stdout.write(economic_address(address, host.hook_secrets.make("default")) + "\n")
        sys.stdout.flush()
        sys.stdin.read()
        pending = HintBook(host.stores.records, "default").read()
        sys.stdout.write(f"{pending.calls['CUSTOMER_UPDATED'][0]}\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=2000)
    parser.add_argument("--together", type=int, default=40)
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.serve:
        serve()
        return
    with tempfile.TemporaryDirectory() as name, Emulators(Path(name), "small", 0) as emulators:
        environment = {**os.environ, **emulators.environment(), "SYNC_DATA_DIR": str(Path(name) / "data")}
        words = [sys.executable, "-m", "tests.bench.hooks", "--serve"]
        with subprocess.Popen(
            words, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as server:
            assert server.stdin is not None
            assert server.stdout is not None
            hook = server.stdout.readline().strip()
            print(measured(hook, chosen.calls, chosen.together))
            server.stdin.close()
            print(f"stored: {server.stdout.readline().strip()} of {chosen.calls} calls")


def measured(hook: str, calls: int, together: int) -> str:
    """A line about as many calls, each naming another customer, so many at a time."""
    sessions = threading.local()

    def call(number: int) -> tuple[int, float]:
        if not hasattr(sessions, "one"):
            sessions.one = requests.Session()
        body = {"event": "CUSTOMER_UPDATED", "old": str(number), "new": str(number)}
        begun = time.monotonic()
        status = sessions.one.post(hook, json=body, timeout=60).status_code
        return status, time.monotonic() - begun

    with ThreadPoolExecutor(together) as pool:
        answers = list(pool.map(call, range(1, calls + 1)))
    seconds = sorted(took for _, took in answers)
    said = ", ".join(f"{count} with {status}" for status, count in Counter(status for status, _ in answers).items())
    return (
        f"{calls} calls, {together} at a time: {said}; median {statistics.median(seconds):.3f} s, "
        f"99 of 100 within {seconds[int(len(seconds) * 0.99) - 1]:.3f} s, longest {seconds[-1]:.3f} s"
    )


if __name__ == "__main__":
    main()
