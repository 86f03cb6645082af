"""`/invoices/totals/...`: sums over invoices, by state and grouped, derived from the same rows as the lists.

A path is read segment by segment: states (`paid`, `unpaid`, `overdue`, `not-overdue`) and groups with a key narrow
what is summed, and a group without a key, which must come last, adds an array named after it. Source: e-conomic REST
docs, invoice totals.
"""

from dataclasses import dataclass, replace
from functools import partial
from sqlite3 import Row
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from worker.emulators.economic.classic import states
from worker.emulators.economic.classic.groups import GROUPS, Group
from worker.emulators.economic.classic.predefined import PREDEFINED, predefined_period
from worker.emulators.economic.context import Context
from worker.emulators.economic.errors import not_found
from worker.emulators.economic.filters import EVERYTHING, Condition, both
from worker.emulators.economic.paging import pagination, window
from worker.emulators.economic.routing import get, rendered
from worker.emulators.economic.wire import BASE, amount, decode_key, dumps, encode_key, link, members

_STATE_LINKS = {
    "booked": {"paid": "paid", "unpaid": "unpaid"},
    "unpaid": {"overdue": "overdue", "notOverdue": "not-overdue"},
}
_STATE_NAMES = {"not-overdue": "not-due"}
_CREDITS_IGNORED = Condition("i.net >= 0")


@dataclass(frozen=True)
class Question:
    """What a path asks for."""

    table: str
    path: str
    states: tuple[str, ...] = ()
    narrowed: tuple[tuple[str, str], ...] = ()
    group: str | None = None


def routes(ctx: Context) -> list[Route]:
    """All routes of this module."""
    return [
        get("/invoices/totals", _root),
        get("/invoices/totals/{path:path}", partial(_totals, ctx)),
    ]


def _root(request: Request) -> Response:
    own = "/invoices/totals"
    body = {"drafts": link(f"{own}/drafts"), "booked": link(f"{own}/booked"), "self": link(own)}
    return rendered(request, dumps(body))


def _totals(ctx: Context, request: Request) -> Response:
    question = parse(request.path_params["path"])
    where, join = _where(ctx, question, request.query_params.get("period"))
    own = f"/invoices/totals/{question.path}"
    sums = _sums(ctx, question, where, join)
    body: dict[str, Any] = {**_numbers(sums, question), **_links(ctx, question, own)}
    if question.group is not None:
        body.update(_grouped(ctx, request, question, where, join))
    return rendered(request, dumps({**body, "self": link(own)}))


def parse(path: str) -> Question:
    """What `path` (below /invoices/totals/) asks for; 404 when it makes no sense."""
    head, *segments = path.split("/")
    if head not in ("booked", "drafts"):
        raise not_found()
    question = Question("invoices" if head == "booked" else "drafts", path)
    while segments:
        name = segments.pop(0)
        if question.group is not None:
            raise not_found()
        if name in GROUPS and segments:
            question = replace(question, narrowed=(*question.narrowed, (name, decode_key(segments.pop(0)))))
        elif name in GROUPS:
            question = replace(question, group=name)
        else:
            question = _with_state(question, name)
    return question


def _with_state(question: Question, name: str) -> Question:
    allowed = {"paid": 0, "unpaid": 0, "overdue": 1, "not-overdue": 1}
    after_unpaid = question.states == ("unpaid",)
    if question.table == "drafts" or name not in allowed or allowed[name] != len(question.states):
        raise not_found()
    if allowed[name] == 1 and not after_unpaid:
        raise not_found()
    return replace(question, states=(*question.states, name))


def _where(ctx: Context, question: Question, period: str | None) -> tuple[Condition, str]:
    conditions = [EVERYTHING]
    if question.states:
        name = question.states[-1]
        conditions.append(states.condition(ctx, _STATE_NAMES.get(name, name)))
    if ctx.switches.get("credit_note_counts_in_totals") == "neither":
        conditions.append(_CREDITS_IGNORED)
    if period is not None:
        first, last = predefined_period(period, ctx.today())
        conditions.append(Condition("i.date BETWEEN ? AND ?", (first.isoformat(), last.isoformat())))
    names = [name for name, _ in question.narrowed]
    conditions += [_narrowing(name, key) for name, key in question.narrowed]
    joins = {GROUPS[name].join for name in (*names, *([question.group] if question.group else []))}
    return both(*conditions), " ".join(sorted(joins))


def _narrowing(name: str, key: str) -> Condition:
    if name == "accounting-years":
        return Condition("y.year = ?", (key,))
    if not key.isdecimal():
        raise not_found()
    return Condition("p.number = ?" if name == "periods" else f"{GROUPS[name].key} = ?", (int(key),))


def _aggregates(ctx: Context) -> str:
    count = "SUM(i.net >= 0)" if ctx.switches.get("credit_note_counts_in_totals") == "amount_only" else "COUNT(*)"
    return (
        f"COALESCE(SUM(i.net), 0) AS net, COALESCE({count}, 0) AS count, MIN(i.date) AS first, MAX(i.date) AS last, "
        "COALESCE(SUM(i.remainder_base), 0) AS remainder"
    )


def _sums(ctx: Context, question: Question, where: Condition, join: str) -> Row:
    sql = f"SELECT {_aggregates(ctx)} FROM {question.table} i {join} WHERE {where.sql}"  # noqa: S608
    return ctx.store.query(sql, where.params)[0]


def _numbers(row: Row, question: Question) -> dict[str, Any]:
    remainder = amount(row["remainder"]) if "unpaid" in question.states else None
    return members(
        [
            ("netAmountInBaseCurrency", amount(row["net"])),
            ("grossRemainderInBaseCurrency", remainder),
            ("invoiceCount", row["count"]),
            ("minDate", row["first"]),
            ("maxDate", row["last"]),
        ]
    )


def _links(ctx: Context, question: Question, own: str) -> dict[str, Any]:
    base = own if question.group is None else own.rpartition("/")[0]
    used = {name for name, _ in question.narrowed} | {question.group}
    result = {GROUPS[name].array: link(f"{base}/{name}") for name in GROUPS if name not in used}
    state = question.states[-1] if question.states else question.path.split("/", 1)[0]
    if question.group is None:
        result.update({name: link(f"{own}/{path}") for name, path in _STATE_LINKS.get(state, {}).items()})
    if ctx.is_on("predefined_periods"):
        # Their real form is not known; these are links to follow, not to build.
        periods = {name: f"{BASE}{own}?period={name}" for name in PREDEFINED}
        return {**result, "predefinedPeriodFilters": periods}
    return result


def _grouped(ctx: Context, request: Request, question: Question, where: Condition, join: str) -> dict[str, Any]:
    group = GROUPS[question.group or ""]
    found = _group_rows(ctx, question, where, join)
    own = f"/invoices/totals/{question.path}"
    items = [_element(group, question, own, row) for row in found]
    if not ctx.is_on("totals_paging"):
        return {group.array: items}
    wanted = window(request)
    cut = items[wanted.skip * wanted.size : (wanted.skip + 1) * wanted.size]
    return {group.array: cut, "pagination": pagination(request, wanted, len(items), len(items))}


def _group_rows(ctx: Context, question: Question, where: Condition, join: str) -> list[Row]:
    group = GROUPS[question.group or ""]
    sql = (
        f"SELECT {group.key} AS key, {_aggregates(ctx)} FROM {question.table} i {join} "  # noqa: S608
        f"WHERE {where.sql} AND {group.key} IS NOT NULL GROUP BY {group.key}"
    )
    everything = f"WITH found AS ({sql}) SELECT * FROM found"  # noqa: S608
    if ctx.is_on("totals_list_empty_groups"):
        empty = "key, 0 AS net, 0 AS count, NULL AS first, NULL AS last, 0 AS remainder"
        others = f"SELECT {empty} FROM ({group.everything}) WHERE key NOT IN (SELECT key FROM found)"  # noqa: S608
        everything = f"{everything} UNION ALL {others}"
    return ctx.store.query(f"SELECT * FROM ({everything}) ORDER BY {_group_order(group)}", where.params)  # noqa: S608


def _group_order(group: Group) -> str:
    return "CAST(key AS INTEGER)" if group.numeric else "key"


def _element(group: Group, question: Question, own: str, row: Row) -> dict[str, Any]:
    key = str(row["key"]).partition("|")[0]
    return {
        **_numbers(row, question),
        **group.reference(row["key"]),
        "self": link(f"{own}/{encode_key(key)}"),
    }
