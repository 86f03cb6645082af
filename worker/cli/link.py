"""link: which CRM company is which debtor, before the first run."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from worker.cli.context import OPTIONS, ROWS_FAILED, guarded, opened_app
from worker.cli.output import results, say, say_json, tell
from worker.cli.runs import Json
from worker.domain.matching import REASONS, Match
from worker.domain.render.values import one_line, some
from worker.errors import ConfigError, Problem
from worker.settings import load_installation
from worker.sync.linking import Link, Linked, Suggestions
from worker.wiring import App
from worker.wiring.alone import run_alone
from worker.wiring.decisions import DecisionBook
from worker.wiring.engine import open_stores

_SHOWN = 50


def link(
    accept_certain: Annotated[
        bool, typer.Option("--accept-certain", help="Write the customer numbers of all certain matches.")
    ] = False,
    accept: Annotated[list[str] | None, typer.Option(metavar="ITEM=NUMBER", help="Write this one; repeatable.")] = None,
    refuse: Annotated[
        list[str] | None, typer.Option(metavar="ITEM=NUMBER", help="Never offer this pair again; repeatable.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Match CRM companies without a customer number to e-conomic's debtors. Writes nothing unless told to."""
    with guarded(), opened_app() as app:
        book = DecisionBook(open_stores(load_installation(OPTIONS.config)).records, app.settings.name)
        book.refuse(_pairs(refuse))
        found = app.link_assistant().suggestions(book.read().refused)
        wanted = _wanted(found, _pairs(accept), accept_certain=accept_certain)
        done = _accepted(app, book, wanted) if wanted else []
        if as_json:
            say_json({**suggestions_data(found), "written": [_linked(one) for one in done]})
        elif wanted:
            _tell_done(done)
        else:
            _show(found)
        if any(one.problem for one in done):
            raise typer.Exit(ROWS_FAILED)


def _pairs(given: Sequence[str] | None) -> list[tuple[int, int]]:
    pairs = []
    for text in given or ():
        match = re.fullmatch(r"\s*(\d{1,9})\s*=\s*(\d{1,9})\s*", text)
        if match is None:
            raise ConfigError([Problem(f"'{one_line(text)}'", "is no pair.")], hint="Write it like 12=10023.")
        pairs.append((int(match[1]), int(match[2])))
    return pairs


def _wanted(found: Suggestions, pairs: Sequence[tuple[int, int]], *, accept_certain: bool) -> list[Link]:
    """Raises ConfigError for a pair that is not among the offered: a typing mistake would link a stranger."""
    by_item = {match.company.item_id: match for match in found.matches}
    links = [_link(match, match.candidates[0].number) for match in found.certain] if accept_certain else []
    wrong = []
    for item, number in pairs:
        match = by_item.get(item)
        if match is None or number not in {one.number for one in match.candidates}:
            wrong.append(Problem(f"{item}={number}", "is not offered."))
        else:
            links.append(_link(match, number))
    if wrong:
        raise ConfigError(wrong, hint="See what is offered: economic-sync link")
    return list(dict.fromkeys(links))


def _link(match: Match, number: int) -> Link:
    return Link(match.company.item_id, number, match.company.version)


def _accepted(app: App, book: DecisionBook, links: Sequence[Link]) -> list[Linked]:
    with run_alone(app, OPTIONS.config):
        done = app.link_assistant().accept(links)
    written = [(one.link.item_id, one.link.number) for one in done if not one.problem]
    book.accept(written, "a command", app.clock.now().isoformat())
    return done


def _tell_done(done: Sequence[Linked]) -> None:
    written = sum(1 for one in done if not one.problem)
    say(f"{some(written, 'customer number')} written. The next run finds these companies.")
    for one in done:
        if one.problem:
            tell(f"Item {one.link.item_id}, customer {one.link.number}: {one.problem}", "yellow")


def _show(found: Suggestions) -> None:
    say(
        f"{some(found.linked, 'company')} linked already; {some(found.free, 'debtor')} that no company carries.",
        f"{some(len(found.certain), 'certain match')}, {len(found.matches) - len(found.certain)} for a person, "
        f"{found.alone} without any.",
    )
    table = Table("item", "company", "customer", "debtor", "score", "why", box=None, pad_edge=False)
    for match in found.matches[:_SHOWN]:
        for at, one in enumerate(match.candidates[:3]):
            head = (str(match.company.item_id), Text(one_line(match.company.name))) if not at else ("", "")
            sure = "certain" if match.certain and not at else str(one.score)
            why = ", ".join(REASONS[code] for code in one.reasons)
            table.add_row(*head, str(one.number), Text(one_line(one.name)), sure, why)
    results().print(table)
    if len(found.matches) > _SHOWN:
        say(f"and {len(found.matches) - _SHOWN} more; --json has them all")
    if found.matches:
        tell("Accept: economic-sync link --accept-certain, or --accept ITEM=NUMBER; never again: --refuse ITEM=NUMBER")


def suggestions_data(found: Suggestions) -> dict[str, Any]:
    """As JSON."""
    return {
        "linked": found.linked,
        "free": found.free,
        "alone": found.alone,
        "matches": [
            {
                "item": match.company.item_id,
                "company": match.company.name,
                "certain": match.certain,
                "candidates": [
                    {"customer": one.number, "name": one.name, "score": one.score, "reasons": list(one.reasons)}
                    for one in match.candidates
                ],
            }
            for match in found.matches
        ],
    }


def _linked(one: Linked) -> dict[str, Any]:
    return {"item": one.link.item_id, "customer": one.link.number, "problem": one.problem}
