"""link: which CRM company is which debtor, before the first run."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from worker.cli.context import OPTIONS, ROWS_FAILED, guarded, opened_app, stores
from worker.cli.output import results, say, say_json, tell
from worker.cli.runs import Json
from worker.domain.matching import REASONS, RULES
from worker.domain.render.values import one_line, some
from worker.errors import ConfigError, Problem
from worker.sync.linking import Link, Linked, Suggestions, link_of
from worker.wiring import App
from worker.wiring.alone import run_alone
from worker.wiring.decisions import DecisionBook
from worker.wiring.linking import accept_links
from worker.wiring.pairs import accept_pairs
from worker.wiring.renumbered import RenumberBook

_SHOWN = 50


def link(
    accept_certain: Annotated[
        bool, typer.Option("--accept-certain", help="Write the customer numbers of all certain matches.")
    ] = False,
    accept: Annotated[list[str] | None, typer.Option(metavar="ITEM=NUMBER", help="Write this one; repeatable.")] = None,
    refuse: Annotated[
        list[str] | None, typer.Option(metavar="ITEM=NUMBER", help="Never offer this pair again; repeatable.")
    ] = None,
    renumbered: Annotated[
        list[str] | None, typer.Option(metavar="OLD=NEW", help="e-conomic changed this customer's number; repeatable.")
    ] = None,
    not_renumbered: Annotated[
        list[str] | None, typer.Option(metavar="OLD=NEW", help="These are two customers; repeatable.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Match CRM companies without a customer number to e-conomic's debtors. Writes nothing unless told to."""
    with guarded(), opened_app() as app:
        assistant, records = app.link_assistant(), stores().records
        book = DecisionBook(records, app.settings.name)
        book.refuse(_pairs(refuse))
        numbers = RenumberBook(records, app.settings.name)
        same, others = _moves(renumbered), _moves(not_renumbered)
        accept_pairs(app, numbers, same)
        for old, new in others:
            numbers.refuse(old, new)
        found = assistant.suggestions(book.read().refused, numbers.said())
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


def _moves(given: Sequence[str] | None) -> list[tuple[str, int]]:
    """The old number may be any text: people type others than e-conomic's into companies."""
    pairs = []
    for text in given or ():
        match = re.fullmatch(r"\s*(\S.*?)\s*=\s*(\d{1,9})\s*", text)
        if match is None:
            raise ConfigError([Problem(f"'{one_line(text)}'", "is no pair.")], hint="Write it like 12=10023.")
        pairs.append((match[1], int(match[2])))
    return pairs


def _wanted(found: Suggestions, pairs: Sequence[tuple[int, int]], *, accept_certain: bool) -> list[Link]:
    """Raises ConfigError for a pair that is not among the offered: a typing mistake would link a stranger."""
    offered = found.offered
    wrong = [Problem(f"{item}={number}", "is not offered.") for item, number in pairs if (item, number) not in offered]
    if wrong:
        raise ConfigError(wrong, hint="See what is offered: economic-sync link")
    links = [link_of(match, match.candidates[0].number) for match in found.certain] if accept_certain else []
    return [*links, *(offered[pair] for pair in pairs)]


def _accepted(app: App, book: DecisionBook, links: Sequence[Link]) -> list[Linked]:
    with run_alone(app, OPTIONS.config):
        return accept_links(app, book, links, "a command")


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
    if found.certain:
        say(f"Certain are {', '.join(f'{count:,} {RULES[rule]}' for rule, count in found.by_rule.items())}.")
    table = Table("item", "company", "customer", "debtor", "score", "why", box=None, pad_edge=False)
    for match in found.matches[:_SHOWN]:
        for at, one in enumerate(match.candidates[:3]):
            head = (str(match.company.item_id), Text(one_line(match.company.name))) if not at else ("", "")
            sure = "certain" if match.certain and not at else str(one.score)
            why = ", ".join(REASONS[code] for code in one.reasons)
            table.add_row(*head, str(one.number), Text(one_line(one.name)), sure, why)
    if found.matches:
        results().print(table)
    if len(found.matches) > _SHOWN:
        say(f"and {len(found.matches) - _SHOWN} more; --json has them all")
    for move in found.moves:
        may = "changed its number" if move.old.number != move.new.number else "lost its number to somebody else"
        sure = "changed its number" if move.certain else f"may have {may}"
        pair = f"{move.old.number}={move.new.number}"
        say(f"{one_line(move.old.name)} {sure}: {pair} {one_line(move.new.name)}")
    if any(not move.certain for move in found.moves):
        tell("Say yes, the same: economic-sync link --renumbered OLD=NEW; no, another: --not-renumbered OLD=NEW")
    if found.matches:
        tell("Accept: economic-sync link --accept-certain, or --accept ITEM=NUMBER; never again: --refuse ITEM=NUMBER")


def suggestions_data(found: Suggestions) -> dict[str, Any]:
    """As JSON."""
    return {
        "linked": found.linked,
        "free": found.free,
        "alone": found.alone,
        "renumbered": [
            {"old": move.old.number, "new": move.new.number, "certain": move.certain} for move in found.moves
        ],
        "matches": [
            {
                "item": match.company.item_id,
                "company": match.company.name,
                "certain": match.certain,
                "rule": match.rule,
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
