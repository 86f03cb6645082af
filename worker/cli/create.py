"""create-customer: makes a customer in e-conomic for a company of the CRM."""

from __future__ import annotations

from typing import Annotated

import typer

from worker.cli.context import ROWS_FAILED, guarded, opened_app, stores
from worker.cli.output import say, say_json, tell
from worker.cli.runs import Json
from worker.domain.render.values import one_line
from worker.sync.claims import State
from worker.wiring.creating import create_alone


def create_customer(
    item: Annotated[int, typer.Argument(min=1, help="Item id of the company in the CRM's list.")],
    number: Annotated[int | None, typer.Option(min=1, max=999_999_999, help="Customer number it is to have.")] = None,
    anyway: Annotated[
        bool, typer.Option("--anyway", help="Although e-conomic has a customer with the same CVR, e-mail or name.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Create a company of the CRM as a customer in e-conomic, and write its number back."""
    with guarded(), opened_app() as app:
        made = create_alone(app, stores(), item, number=number, anyway=anyway)
        if as_json:
            say_json({"item": made.item_id, "state": made.state, "number": made.number, "status": made.status})
        elif made.state == State.CREATED:
            say(f"{one_line(made.name)} is customer {made.number} in e-conomic.", made.status)
            tell(f"The next run fills its other columns; or now: economic-sync run --customer {made.number}")
        else:
            tell(f"{one_line(made.name)} (item {item}): {made.status or 'another worker has it in hand.'}", "yellow")
        if made.state != State.CREATED:
            raise typer.Exit(ROWS_FAILED)
