"""undo: takes back what a run wrote."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

import typer

from worker.cli.context import OPTIONS, ROWS_FAILED, guarded, opened_app, stop_on_interrupt
from worker.cli.output import say, say_json, tell
from worker.cli.runs import Json, ReallyYes
from worker.domain.render.values import one_line, shown, some
from worker.settings import load_installation
from worker.sync.undo_plan import Left, Undo, Undone
from worker.wiring.engine import has_stores, open_stores
from worker.wiring.undoing import Choice, apply_undo, digest_of, plan_undo

_WHY = {
    "changed": "somebody changed it since",
    "gone": "the item is gone",
    "taken": "another item carries this number now",
    "number": "it goes with a number that does not go back",
    "made": "the run made the item; --remove-created moves it to the recycle bin",
    "touched": "the run made the item, and somebody works with it",
}


def undo(  # noqa: PLR0913  # a command's options
    run: Annotated[str, typer.Argument(help="Run id as the run list shows it, or the id of a job.")],
    profile: Annotated[list[str] | None, typer.Option(help="Only this profile's part; repeatable.")] = None,
    apply: Annotated[bool, typer.Option("--apply", help="Do it; without this it is only shown.")] = False,
    expect: Annotated[str, typer.Option(metavar="MARK", help="Only if it is still what was shown.")] = "",
    remove_created: Annotated[
        bool, typer.Option("--remove-created", help="Items the run made and nobody touched go to the recycle bin.")
    ] = False,
    limit: Annotated[int, typer.Option(min=0, help="Changes shown of each profile.")] = 20,
    yes_really: ReallyYes = False,
    as_json: Json = False,
) -> None:
    """Take back what a run wrote, as far as nobody has changed it since. Shows it first."""
    choice = Choice(run.strip(), tuple(profile or ()), remove_created)
    with guarded(), stop_on_interrupt() as stop, opened_app(stop, writes=True) as app:
        installation = load_installation(OPTIONS.config)
        stores = open_stores(installation) if has_stores(installation) else None
        if not apply:
            undos = plan_undo(app, stores, choice)
            if as_json:
                say_json({"mark": digest_of(undos), "profiles": [_data(one) for one in undos]})
            else:
                _show(undos, limit)
            return
        with app.run_lock():
            done = apply_undo(app, stores, choice, expected=expect, override_brake=yes_really)
        if as_json:
            say_json({"profiles": [_data(one, result) for one, result in done]})
        else:
            for one, result in done:
                _tell(one, result, limit)
            tell("The next run writes the same again, unless the profile is changed or disabled before.", "yellow")
        if any(result.failed or result.open for _, result in done):
            raise typer.Exit(ROWS_FAILED)


def _show(undos: Sequence[Undo], limit: int) -> None:
    for one in undos:
        say(f"{one_line(one.ran.profile.title)} (run {one_line(one.ran.run_id)})")
        say(f"  set back: {some(len(one.plan.changes), 'item')}; to the recycle bin: {some(len(one.removals), 'item')}")
        for change in one.plan.changes[:limit]:
            say(f"    {one_line(change.key)} {one_line(change.title or '')} (item {change.item_id})")
            for field in change.fields:
                say(f"      {field.column}: {shown(field.before)} -> {shown(field.after)}")
        if len(one.plan.changes) > limit:
            say(f"    and {len(one.plan.changes) - limit:,} more; --json has them all")
        _say_left(one.left, limit)
        for reason in one.braked:
            tell(f"  The brake says stop: {reason}", "yellow")
    mark = digest_of(undos)
    tell(f"Nothing was written. To do exactly this, repeat it with: --apply --expect {mark}")


def _say_left(left: Sequence[Left], limit: int) -> None:
    """Values by item and column; items of which nothing is taken back by their number."""
    for why, words in _WHY.items():
        found = [one for one in left if one.why == why]
        if not found:
            continue
        values = any(one.column for one in found)
        say(f"  left: {some(len(found), 'value' if values else 'item')}: {words}")
        for one in found[:limit] if why != "made" else []:
            column = f" {one.column}" if one.column else ""
            say(f"    {one_line(one.key)} (item {one.item_id}){column}")
        if why != "made" and len(found) > limit:
            say(f"    and {len(found) - limit:,} more; --json has them all")


def _tell(one: Undo, result: Undone, limit: int) -> None:
    say(f"{one_line(one.ran.profile.title)}: {result.reverted:,} set back, {result.removed:,} to the recycle bin")
    _say_left(result.left, limit)
    for key, text in list(result.failed.items())[:20]:
        tell(f"  {one_line(key)}: {one_line(text)}", "yellow")
    if result.open:
        tell(f"  not reached: {some(len(result.open), 'item')}; undo the run once more", "yellow")


def _data(one: Undo, result: Undone | None = None) -> dict[str, Any]:
    left = one.left if result is None else result.left
    data: dict[str, Any] = {
        "profile": one.ran.profile.title,
        "run": one.ran.run_id,
        "changes": [
            {
                "key": change.key,
                "item": change.item_id,
                "fields": [{"column": f.column, "now": f.before, "back": f.after} for f in change.fields],
            }
            for change in one.plan.changes
        ],
        "removals": [{"key": gone.key, "item": gone.item_id} for gone in one.removals],
        "left": [{"key": kept.key, "item": kept.item_id, "why": kept.why, "column": kept.column} for kept in left],
        "braked": list(one.braked),
    }
    if result is not None:
        data |= {"reverted": result.reverted, "removed": result.removed, "failed": result.failed}
        data["open"] = sorted(result.open)
    return data
