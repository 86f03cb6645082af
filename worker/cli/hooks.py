"""hooks: e-conomic's calls to the worker."""

from __future__ import annotations

from typing import Annotated

import typer

from worker.cli.context import OPTIONS, guarded, opened_app
from worker.cli.output import results, say, tell, verdict
from worker.economic.hooks import Hook
from worker.engine.hints import HintBook
from worker.settings import load_installation
from worker.wiring.engine import open_secrets, open_stores
from worker.wiring.hooks import HookSecrets, check_public, economic_address, economic_hooks


def hooks(
    set_up: Annotated[bool, typer.Option("--set-up", help="Make or mend the webhooks in e-conomic.")] = False,
    off: Annotated[bool, typer.Option("--off", help="Switch them off.")] = False,
) -> None:
    """Show, set up or switch off e-conomic's webhooks; the address stays secret."""
    if set_up and off:
        raise typer.BadParameter("give --set-up or --off")
    with guarded(), opened_app() as app:
        installation, name = load_installation(OPTIONS.config), app.settings.name
        secrets = HookSecrets(open_secrets(installation), (name,))
        secret = secrets.make(name) if set_up else secrets.of(name)
        if not secret:
            say("No webhook is set up.")
            tell("Next: economic-sync hooks --set-up")
            return
        there = economic_hooks(app, economic_address(check_public(installation.engine.public_url), secret))
        if set_up or off:
            written = there.set_up() if set_up else there.switch_off()
            say(f"{written} written." if written else "Nothing to do.")
        calls = HintBook(open_stores(installation).records, name).read().calls
        standing = there.standing()
        for one in standing:
            count, last = calls.get(one.event, (0, ""))
            told = f"{one.event}: {count:,} calls{f', last {last[:16]} UTC' if last else ''}"
            results().print(verdict(one.works, f"{told}{_state(one)}"))
        if not off and not all(one.works for one in standing):
            tell("Next: economic-sync hooks --set-up")


def _state(hook: Hook) -> str:
    if not hook.there:
        return " (not there)"
    if not hook.enabled:
        return " (switched off)"
    return "" if hook.ours else " (another address)"
