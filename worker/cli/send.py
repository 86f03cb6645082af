"""send-fields: what the CRM owns goes to e-conomic."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from worker.cli.context import OPTIONS, ROWS_FAILED, guarded, opened_app, stop_on_interrupt, stores
from worker.cli.output import say, say_json, tell
from worker.cli.reports import conflict_line
from worker.cli.runs import Json
from worker.domain.render.values import shown, some
from worker.sync.sending import Sent
from worker.wiring.alone import run_alone
from worker.wiring.sending import send_fields


def send(
    apply: Annotated[bool, typer.Option("--apply", help="Do it; without this it is only shown.")] = False,
    as_json: Json = False,
) -> None:
    """Send the columns named in CREATE_SEND from the CRM to e-conomic, where e-conomic has not changed them itself."""
    with guarded(), stop_on_interrupt() as stop, opened_app(stop, writes=True) as app:
        records = stores().records
        if apply:
            with run_alone(app, OPTIONS.config):
                result = send_fields(app, records, apply=True)
        else:
            result = send_fields(app, records, apply=False)
        if as_json:
            say_json(_data(result))
        else:
            _show(result, applied=apply)
        if result.conflicts:
            raise typer.Exit(ROWS_FAILED)


def _show(result: Sent, *, applied: bool) -> None:
    for one in result.sendings:
        for name, (economic, crm) in one.values.items():
            say(f"customer {one.number} {name}: {shown(economic)} -> {shown(crm)}")
    for clash in result.conflicts:
        tell(conflict_line(clash), "yellow")
    done = "sent" if applied else "would be sent"
    say(f"{some(len(result.sendings), 'customer')} {done}, {some(len(result.conflicts), 'conflict')}.")
    if result.sendings and not applied:
        tell("Nothing was written. Next: economic-sync send-fields --apply")


def _data(result: Sent) -> dict[str, Any]:
    return {
        "sent": [
            {
                "customer": one.number,
                "item": one.item_id,
                "values": {n: {"was": a, "is": b} for n, (a, b) in one.values.items()},
            }
            for one in result.sendings
        ],
        "conflicts": [
            {
                "customer": c.number,
                "column": c.column,
                "economic": c.economic,
                "crm": c.crm,
                "why": c.why,
                "items": c.items,
                "detail": c.detail,
            }
            for c in result.conflicts
        ],
    }
