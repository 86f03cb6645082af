"""Reading pages of items: options, threshold, order, and the paging token (reference, sections 6.2 and 7).

Pages are cut by key, never by offset: the token names the last row's order values and id, so a page costs the same
wherever it lies.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, quote

from worker.emulators.sharepoint import errors
from worker.emulators.sharepoint.filters import Both, Compare, Either, Node
from worker.emulators.sharepoint.models import Item, SPField, SPList
from worker.emulators.sharepoint.sql import FilterSql, Sql, comparison, field_of, value_sql
from worker.emulators.sharepoint.store import BLANK, COLUMNS, ITEM_COLUMNS, fold
from worker.emulators.sharepoint.values import Rules

DEFAULT_TOP, MAX_TOP = 100, 5000
_RANGE_OPS = ("eq", "lt", "le", "gt", "ge", "startswith")


@dataclass(frozen=True)
class Order:
    """One column of the order."""

    field: SPField
    descending: bool = False


@dataclass(frozen=True)
class Query:
    """What to read: a condition, an order, a page size, and the row after which to go on."""

    top: int = DEFAULT_TOP
    where: Node | None = None
    order: Sequence[Order] = ()
    after: dict[str, Any] | None = None  # order values by internal name, and "ID"


@dataclass(frozen=True)
class Page:
    """Rows, and the token of the next page unless this is the last."""

    items: list[Item]
    next_token: str | None = None


@dataclass
class _Plan:
    """The parts of a SELECT."""

    tables: str = "items"
    where: list[str] = field(default_factory=list)
    args: list[Any] = field(default_factory=list)

    def add(self, text: str, args: Sequence[Any] = ()) -> None:
        self.where.append(text)
        self.args.extend(args)


def read_page(one: SPList, query: Query, rules: Rules) -> Page:
    """One page; ODataError when the list view threshold forbids it."""
    over = one.item_count > rules.options.list_view_threshold
    plan = _Plan()
    plan.add("items.list = ?", [one.number])
    if query.where is not None:
        plan.add(*FilterSql(one, rules).where(query.where))
        if over:
            plan.add(*_selective(one, query.where, rules))
    order = [item for item in query.order if item.field.internal != "ID"]
    if over and query.where is None and any(not item.field.kept_in_index for item in order):
        raise errors.over_threshold()
    keys = _order_keys(one, order, plan, indexed=over and query.where is None and len(order) == 1)
    return _run(query, keys, plan, rules)


def _order_keys(one: SPList, order: Sequence[Order], plan: _Plan, *, indexed: bool) -> list[tuple[str, str, bool]]:
    """(internal name, SQL, descending) per column of the order; the index table is joined when it serves."""
    if indexed:
        plan.tables = "idx JOIN items ON items.list = idx.list AND items.id = idx.id"
        plan.add("idx.list = ? AND idx.field = ?", [one.number, order[0].field.internal])
        return [(order[0].field.internal, "idx.value", order[0].descending)]
    return [(item.field.internal, value_sql(item.field), item.descending) for item in order]


def _run(query: Query, keys: list[tuple[str, str, bool]], plan: _Plan, rules: Rules) -> Page:
    id_down = any(item.field.internal == "ID" and item.descending for item in query.order)
    # A page through the index table must also break ties in the index's own order to stay a plain range scan.
    tie = "idx.id" if plan.tables != "items" else "items.id"
    full = [*keys, ("ID", tie, id_down or (tie == "idx.id" and keys[0][2]))]
    if query.after is not None:
        plan.add(*_after(full, query.after))
    order = ", ".join(f"{sql} {'DESC' if down else 'ASC'}" for _, sql, down in full)
    columns = ", ".join(f"items.{name.strip()}" for name in COLUMNS.split(","))
    sql = f"SELECT {columns} FROM {plan.tables} WHERE {' AND '.join(plan.where)} ORDER BY {order} LIMIT ?"  # noqa: S608
    items = rules.store.rows(sql, [*plan.args, query.top + 1])
    if len(items) <= query.top:
        return Page(items)
    items.pop()
    return Page(items, _token(items[-1], query.order))


def _after(keys: list[tuple[str, str, bool]], after: dict[str, Any]) -> Sql:
    """The condition 'later in the order than the row named by the token'."""
    text, args = "0", list[Any]()
    for name, sql, down in reversed(keys):
        value = after.get(name, BLANK)
        sign = "<" if down else ">"
        same = "" if text == "0" else f" OR ({sql} = ? AND {text})"
        text = f"({sql} {sign} ?{same})"
        args = [value, *([value] if same else []), *args]
    return text, args


def _token(last: Item, order: Sequence[Order]) -> str:
    """The paging token after `last`: `Paged=TRUE&p_<column>=<value>&p_ID=<id>`."""
    parts = ["Paged=TRUE"]
    for item in order:
        if item.field.internal != "ID":
            value = json.dumps(_order_value(item.field, last), ensure_ascii=False)
            parts.append(f"p_{item.field.internal}={quote(value)}")
    return "&".join([*parts, f"p_ID={last.id}"])


def _order_value(column: SPField, item: Item) -> Any:
    attribute = ITEM_COLUMNS.get(column.internal)
    return fold(getattr(item, attribute) if attribute else item.doc.get(column.internal))


def parse_token(token: str) -> dict[str, Any]:
    """The row a paging token names; ODataError when it cannot be read."""
    values = dict(parse_qsl(token, keep_blank_values=True))
    try:
        found = {name[2:]: json.loads(text) for name, text in values.items() if name.startswith("p_")}
        found["ID"] = int(found.get("ID", 0))
    except ValueError:
        raise errors.bad_argument("The paging token is not valid.") from None
    return found


def parse_order(one: SPList, text: str) -> list[Order]:
    """The columns of `$orderby`."""
    found = []
    for part in text.split(","):
        name, _, direction = part.strip().partition(" ")
        column = field_of(one, name)
        if column is None:
            raise errors.unknown_field(name)
        if direction.strip().lower() not in ("", "asc", "desc"):
            raise errors.bad_query(f'The expression "{text}" is not valid.')
        found.append(Order(column, direction.strip().lower() == "desc"))
    return found


def _selective(one: SPList, node: Node, rules: Rules) -> Sql:
    """The indexed condition that must come first on a long list, as a cheap extra condition; or the threshold error.

    The first conditions of an `and` chain that name one indexed column are taken together; of an `or`, each branch
    must pass by itself.
    """
    if isinstance(node, Either):
        (left, left_args), (right, right_args) = (
            _selective(one, node.left, rules),
            _selective(one, node.right, rules),
        )
        return f"({left} OR {right})", left_args + right_args
    chain = _chain(node)
    if isinstance(chain[0], Either):
        return _selective(one, chain[0], rules)
    if not isinstance(chain[0], Compare):
        raise errors.over_threshold()
    return _leading(one, [item for item in chain if isinstance(item, Compare)], rules)


def _leading(one: SPList, chain: list[Compare], rules: Rules) -> Sql:
    sql = FilterSql(one, rules)
    column = sql.field(chain[0])
    by_id = column.internal == "ID"
    if not (by_id or column.kept_in_index) or chain[0].op not in _RANGE_OPS or len(chain[0].path) > 1:
        raise errors.over_threshold()
    expression = "id" if by_id else "value"
    texts, args = ([], []) if by_id else (["field = ?"], [column.internal])
    for item in chain:
        if item.op in _RANGE_OPS and sql.field(item).internal == column.internal:
            text, more = _range(expression, item.op, sql.constant(column, item))
            texts.append(text)
            args.extend(more)
    where, table = " AND ".join(texts), "items" if by_id else "idx"
    limit = rules.options.list_view_threshold
    if rules.store.count(table, one, where, args, limit + 1) > limit:
        raise errors.over_threshold()
    inner = f"SELECT id FROM {table} WHERE list = ? AND {where}"  # noqa: S608
    return f"items.id IN ({inner})", [one.number, *args]


def _range(expression: str, op: str, value: Any) -> Sql:
    if op == "startswith":  # as a range, so that the index serves
        return f"{expression} >= ? AND {expression} < ?", [value, f"{value}\U0010ffff"]
    return comparison(expression, op, value)


def _chain(node: Node) -> list[Node]:
    return [*_chain(node.left), *_chain(node.right)] if isinstance(node, Both) else [node]
