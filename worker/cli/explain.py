"""explain: one customer, field by field."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from worker.cli.context import all_problems, chosen_profiles, guarded, opened_app
from worker.cli.output import results, say, say_json, tell, tell_problems
from worker.cli.runs import Json
from worker.domain.encode import encode_value
from worker.domain.render.values import one_line, plain, shown, some
from worker.errors import NotFoundError
from worker.sync.explain import EQUAL, WRITTEN, CustomerStory, FieldStory, ProfileStory, story_data
from worker.wiring.explaining import explained


def explain(
    customer: Annotated[int, typer.Argument(help="Customer number in e-conomic.")],
    as_json: Json = False,
) -> None:
    """One customer field by field: source value, rule, value in the CRM, and what a run would do."""
    with guarded(), opened_app() as app:
        chosen, broken = chosen_profiles(app, [])
        if broken:
            tell(f"{some(len(broken), 'profile')} can't be read and {'is' if len(broken) == 1 else 'are'} left out:")
            tell_problems(all_problems(broken))
        story = explained(app, customer, chosen, app.settings.sync.language)
        if story is None:
            raise NotFoundError(f"e-conomic has no customer {customer}.", hint="Check the number in e-conomic.")
        if as_json:
            say_json(story_data(story))
        else:
            _show(story)


def _show(story: CustomerStory) -> None:
    say(f"Customer {story.number} in e-conomic", *(f"  {line}" for line in _facts(story)))
    width = max(len(name) for name, _ in story.source)
    say(*(f"  {name:<{width}}  {shown(value)}" for name, value in story.source))
    if not story.profiles:
        tell("No enabled profile reads customers.", "yellow")
    for one in story.profiles:
        items = ", ".join(map(str, one.item_ids)) or "none"
        say("", f"{one_line(one.profile)}: {plain(one.verdict)} (CRM item: {items})")
        results().print(_table(one))


def _facts(story: CustomerStory) -> Iterator[str]:
    since = f" since {story.invoices_since}" if story.invoices_since else ""
    if story.contacts is not None:
        yield some(story.contacts, "contact")
    if story.invoices is not None:
        yield f"{some(story.invoices, 'booked invoice')}{since}"


def _table(story: ProfileStory) -> Table:
    """The values stand last: they are long, and may wrap."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for name in ("  CRM column", "e-conomic field", "rule", "a run"):
        table.add_column(name, no_wrap=True)
    table.add_column("values", overflow="fold")
    for one in story.fields:
        field = f"{one.source} ({one.converter})" if one.converter else one.source
        cells = (f"  {one.column}", field, one.rule, one.says, _values(one))
        table.add_row(*(Text(plain(cell)) for cell in cells), style="bold" if one.says == WRITTEN else "")
    return table


def _values(one: FieldStory) -> str:
    """What stands in the CRM and what e-conomic would put there; the raw value where a converter changed it."""
    if one.problem:
        return f"{shown(one.source_value)}: {one.problem}"
    wanted, standing = shown(one.wanted), shown(one.standing)
    if one.says == WRITTEN:
        text = f"{standing} -> {wanted}"
    else:
        text = wanted if one.says == EQUAL else f"{standing} (e-conomic: {wanted})"
    changed = one.source_value is not None and encode_value(one.source_value) != encode_value(one.wanted)
    return f"{text}  [from {shown(one.source_value)}]" if one.converter and changed else text
