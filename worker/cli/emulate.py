"""emulate: both services on this machine, for trials and for partners' development."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from worker.cli.context import guarded
from worker.errors import ConfigError, Problem

_MISSING = "The emulators are not installed: pip install 'iglobe-economic-sync[emulators]'"


def emulate(  # noqa: PLR0913  # one parameter for each flag
    data: Annotated[Path, typer.Option(help="Directory that keeps the emulators' data.")] = Path(".data/emulators"),
    economic_port: Annotated[int, typer.Option(help="0 = a free port.")] = 8810,
    sharepoint_port: Annotated[int, typer.Option(help="0 = a free port.")] = 8820,
    size: Annotated[str, typer.Option(help="empty, tiny, small, typical or large; for a new directory.")] = "small",
    seed: Annotated[int, typer.Option(help="The same seed gives the same data.")] = 1,
    load: Annotated[Path | None, typer.Option(help="Fill e-conomic from recorded pages instead.")] = None,
    latency_ms: Annotated[float, typer.Option(min=0, help="Added to each request.")] = 0,
    fault: Annotated[list[str] | None, typer.Option(help="NAME=RATE; may be given several times.")] = None,
    switch: Annotated[list[str] | None, typer.Option(help="NAME=VALUE, an unconfirmed behaviour.")] = None,
    token: Annotated[str, typer.Option(help="Bearer and grant token that are accepted.")] = "test-token",  # noqa: S107
    units_per_minute: Annotated[int, typer.Option(min=0, help="SharePoint's limit; 0 = none.")] = 1250,
    as_json: Annotated[bool, typer.Option("--json", help="The ready line as JSON.")] = False,
) -> None:
    """Serve a local e-conomic and a local SharePoint on loopback until stopped."""
    with guarded():
        try:
            from worker.cli.local import Local, LocalOptions
            from worker.emulators.common.server import run_forever
        except ModuleNotFoundError as error:
            raise ConfigError([Problem(f"module {error.name}", "is missing.")], hint=_MISSING) from None
        local = Local(LocalOptions(data, size, seed, load, latency_ms, token, units_per_minute))

        def ready(urls: list[str]) -> None:
            site = f"{urls[1]}/sites/crm"
            line = f"ready: e-conomic {urls[0]}, SharePoint site {site} (Ctrl-C stops)"
            sys.stdout.write(
                (json.dumps({"economic": urls[0], "sharepoint": urls[1], "site": site}) if as_json else line) + "\n"
            )
            sys.stdout.flush()

        try:
            local.set_faults(fault or [])
            local.set_switches(switch or [])
            run_forever([(local.economic, economic_port), (local.sharepoint, sharepoint_port)], ready)
        except OSError as error:
            problem = Problem("port", f"can't be used ({error.strerror or type(error).__name__}).")
            raise ConfigError([problem], hint="Choose other ports, or 0 for free ones.") from None
        finally:
            local.close()
