"""`python -m tests.bench [--sizes typical,large] [--latency-ms 80]`: the table of the README."""

from __future__ import annotations

import argparse
import json
import math
import os
import platform
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from tests.bench.plain_loop import SAMPLE, plain_loop
from tests.bench.side import LATENCY_MS, Emulators
from worker.emulators.dataset import Dataset, generate

LISTS = ("Companies", "Contacts", "Invoices", "Sales statistics")
CHANGED = 50  # every 50th row = 2 %


def worker(emulators: Emulators, *arguments: str) -> dict[str, Any]:
    """Runs one job in its own process; returns what it printed."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.worker_run", *arguments],
        env=emulators.environment(),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return json.loads(done.stdout) if done.stdout else {}


def mutate(emulators: Emulators, data: Dataset) -> None:
    """2 % of customers, contacts and invoices change."""
    customers = [{**row, "name": f"{row['name']} II"[:255]} for row in data.customers[::CHANGED]]
    contacts = [{**row, "phone": "+45 70 10 20 30"} for row in data.contacts[::CHANGED] if not row.get("isDeleted")]
    invoices = [settled(row) for at, row in enumerate(data.invoices) if at % CHANGED == 0]
    body = {"customers": customers, "contacts": contacts, "removed_contacts": [], "invoices": invoices}
    emulators.control("economic", "mutate", json.loads(json.dumps(body, default=float)))


def settled(invoice: dict[str, Any]) -> dict[str, Any]:
    """The invoice paid, or open again when it was paid."""
    gross, base = invoice["grossAmount"], invoice["grossAmountInBaseCurrency"]
    paid = Decimal(str(invoice["remainder"])) == 0
    return {**invoice, "remainder": gross if paid else 0, "remainderInBaseCurrency": base if paid else 0}


def measure(emulators: Emulators, size: str, phase: str) -> list[str]:
    """One job: a line of the table."""
    emulators.reset_counts()
    result = worker(emulators)
    economic = emulators.control("economic", "stats")["total"]
    sharepoint = emulators.control("sharepoint", "stats")["total"]
    targets = sharepoint["by_target"]
    written = sum(targets.get(name, {}).get("writes", 0) for name in LISTS)
    data_writes = "0" if not written else str(sharepoint["writes"])
    bad = {name: state for name, state in result["states"].items() if not state[0].startswith("Succeeded")}
    if bad:
        raise SystemExit(f"{size}, {phase}: not every profile succeeded: {bad}")
    return [
        size,
        phase,
        str(economic["requests"]),
        str(sharepoint["reads"]),
        f"{written:,}",
        data_writes,
        f"{sharepoint['requests']}",
        f"{result['seconds']:.1f}",
        f"{result['peak_mb']:.0f}",
    ]


def bench(size: str, latency_ms: int, table: Table, console: Console) -> None:
    """First load, 2 % changed, unchanged, and the plain loop beside them."""
    data = generate(size, 1, datetime.now(UTC).date())  # type: ignore[arg-type]
    with tempfile.TemporaryDirectory() as folder, Emulators(Path(folder), size, latency_ms) as emulators:
        worker(emulators, "set-up")
        emulators.slow_down()
        first = measure(emulators, size, "first load")
        table.add_row(*first)
        mutate(emulators, data)
        table.add_row(*measure(emulators, size, "2 % changed"))
        table.add_row(*measure(emulators, size, "unchanged"))
        rows = [{"Title": f"Plain {n}", "CustomerID": f"P{n}"} for n in range(SAMPLE)]
        seconds = plain_loop(emulators.site_url, "test-token", "Companies", rows)
        per_row = seconds / SAMPLE
        ours = float(first[7]) / float(first[4].replace(",", ""))
        console.print(
            f"{size}: plain loop (add_item + execute_query) {per_row * 1000:.1f} ms a row over {SAMPLE} rows, "
            f"the whole first load here {ours * 1000:.1f} ms a row: {per_row / ours:.0f} times faster."
        )
        pages = math.ceil(len(data.invoices) / 1000)  # type: ignore[arg-type]
        console.print(f"{size}: {len(data.customers)} customers, {len(data.contacts)} contacts, {pages} invoice pages.")


def main() -> None:
    """Prints the table and the machine it was measured on."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--sizes", default="small,typical")
    parser.add_argument("--latency-ms", type=int, default=LATENCY_MS)
    options = parser.parse_args()
    console = Console(width=120)
    table = Table("size", "job", "e-conomic requests", "SharePoint reads", "rows written", "write requests",
                  "SharePoint requests", "seconds", "peak MB")  # fmt: skip
    for size in options.sizes.split(","):
        bench(size, options.latency_ms, table, console)
    console.print(table)
    console.print(
        f"{datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} cores, {platform.machine()}, "
        f"Python {platform.python_version()}, {options.latency_ms} ms injected per request."
    )


if __name__ == "__main__":
    main()
