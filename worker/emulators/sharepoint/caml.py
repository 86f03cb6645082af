"""CAML queries to the same tree and order that OData queries become (brief part of the Query schema)."""

from __future__ import annotations

from dataclasses import dataclass, field
from xml.etree import ElementTree

from worker.emulators.sharepoint import errors
from worker.emulators.sharepoint.filters import Both, Compare, Either, Node, Not
from worker.emulators.sharepoint.models import SPField, SPList
from worker.emulators.sharepoint.querying import Order
from worker.emulators.sharepoint.values import Rules, stamp, to_midnight

_OPERATORS = {
    "Eq": "eq",
    "Neq": "ne",
    "Gt": "gt",
    "Geq": "ge",
    "Lt": "lt",
    "Leq": "le",
    "Contains": "substringof",
    "BeginsWith": "startswith",
}
_KINDS = {"Number": "number", "Currency": "number", "Counter": "number", "Integer": "number", "DateTime": "time"}
DEFAULT_LIMIT = 30


@dataclass(frozen=True)
class Caml:
    """A parsed view: condition, grouping, order, columns, page size."""

    where: Node | None = None
    group: Order | None = None
    order: list[Order] = field(default_factory=list)
    fields: list[str] = field(default_factory=list)
    row_limit: int = DEFAULT_LIMIT


def parse_view(one: SPList, text: str, rules: Rules) -> Caml:
    """A `<View>` (or a bare `<Query>`, or its children); ODataError 400 when it cannot be read."""
    root = _root(text)
    query = root if root.tag == "Query" else root.find("Query")
    limit = root.findtext("RowLimit")
    return Caml(
        where=_where(one, query, rules),
        group=next(iter(_order(one, query, "GroupBy")), None),
        order=_order(one, query),
        fields=[_field(one, ref).internal for ref in root.findall("ViewFields/FieldRef")],
        row_limit=int(limit) if limit and limit.strip().isdigit() else DEFAULT_LIMIT,
    )


def _root(text: str) -> ElementTree.Element:
    whole = text.strip() or "<View/>"
    if not whole.startswith(("<View", "<Query")):
        whole = f"<Query>{whole}</Query>"
    try:
        return ElementTree.fromstring(whole)  # noqa: S314
    except ElementTree.ParseError as error:
        raise errors.bad_argument(f"Cannot complete this action: the CAML is not valid: {error}") from None


def _field(one: SPList, ref: ElementTree.Element) -> SPField:
    name = ref.get("Name", "")
    found = one.field_by_internal(name)
    if found is None:
        text = f"One or more field types are not installed properly. Column '{name}'."
        raise errors.ODataError(400, f"-2147024809, {errors.SP_EXCEPTION}", text)
    return found


def _order(one: SPList, query: ElementTree.Element | None, part: str = "OrderBy") -> list[Order]:
    refs = [] if query is None else query.findall(f"{part}/FieldRef")
    return [Order(_field(one, ref), ref.get("Ascending", "TRUE").upper() == "FALSE") for ref in refs]


def _where(one: SPList, query: ElementTree.Element | None, rules: Rules) -> Node | None:
    where = None if query is None else query.find("Where")
    return None if where is None or len(where) == 0 else _node(one, where[0], rules)


def _node(one: SPList, element: ElementTree.Element, rules: Rules) -> Node:
    if element.tag in ("And", "Or"):
        parts = [_node(one, child, rules) for child in element]
        joined = parts[0]
        for part in parts[1:]:
            joined = Both(joined, part) if element.tag == "And" else Either(joined, part)
        return joined
    ref = element.find("FieldRef")
    if ref is None:
        raise errors.bad_argument(f"The CAML element {element.tag} needs a FieldRef.")
    column = _field(one, ref)
    if element.tag in ("IsNull", "IsNotNull"):
        blank = Compare((column.internal,), "eq", None, "null")
        return blank if element.tag == "IsNull" else Not(blank)
    if element.tag == "In":
        return _any_of(ref, column, element.findall("Values/Value"), rules)
    if element.tag not in _OPERATORS:
        raise errors.bad_argument(f"The CAML element {element.tag} is not supported.")
    return _compare(ref, column, _OPERATORS[element.tag], element.find("Value"), rules)


def _any_of(ref: ElementTree.Element, column: SPField, values: list[ElementTree.Element], rules: Rules) -> Node:
    if not values:
        raise errors.bad_argument("The CAML element In needs Values.")
    joined: Node = _compare(ref, column, "eq", values[0], rules)
    for value in values[1:]:
        joined = Either(joined, _compare(ref, column, "eq", value, rules))
    return joined


def _compare(
    ref: ElementTree.Element, column: SPField, op: str, value: ElementTree.Element | None, rules: Rules
) -> Compare:
    text = "" if value is None else (value.text or "").strip()
    if value is not None and value.find("Today") is not None:
        text = stamp(to_midnight(rules.options.now(), rules))
    by_id = ref.get("LookupId", "").upper() == "TRUE" or column.type.startswith("User")
    if column.is_lookup and not by_id:
        return Compare((column.internal, column.lookup_field or "Title"), op, text, "text")
    if column.is_lookup or column.type in _KINDS:
        kind = "number" if column.is_lookup else _KINDS[column.type]
        return Compare((column.internal,), op, _number(text) if kind == "number" else text, kind)
    if column.type == "Boolean":
        return Compare((column.internal,), op, text.lower() in ("1", "true"), "bool")
    return Compare((column.internal,), op, text, "text")


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise errors.bad_argument(f"'{text}' is not a number.") from None
