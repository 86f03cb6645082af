"""Reading by CAML: GetItems, RenderListDataAsStream, GetListItemChangesSinceToken (reference, sections 6.2 and 9)."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from urllib.parse import quote
from xml.sax.saxutils import quoteattr

from worker.emulators.sharepoint import changes, errors
from worker.emulators.sharepoint.calls import Call
from worker.emulators.sharepoint.caml import Caml, parse_view
from worker.emulators.sharepoint.formats import Collection, Raw, Result
from worker.emulators.sharepoint.models import Item, SPField, SPList
from worker.emulators.sharepoint.people import user_json
from worker.emulators.sharepoint.projection import Projection
from worker.emulators.sharepoint.querying import MAX_TOP, Page, Query, parse_token, read_page
from worker.emulators.sharepoint.store import DELETED

_PERMISSIONS = "0x7fffffffffffffff"


def _page(call: Call, one: SPList, caml: Caml, paging: str | None) -> Page:
    if caml.row_limit > MAX_TOP:
        raise errors.over_threshold()
    after = parse_token(paging.lstrip("?")) if paging else None
    return read_page(one, Query(caml.row_limit, caml.where, caml.order, after), call.rules)


def read_caml_items(call: Call) -> Result:
    """`{"query":{"ViewXml"}}` to items, as the items endpoint shows them."""
    one, body = call.one_list(), call.parameters("query")
    position = (body.get("ListItemCollectionPosition") or {}).get("PagingInfo")
    page = _page(call, one, parse_view(one, str(body.get("ViewXml") or ""), call.rules), position)
    projection = Projection(one, call.rules, call.names("select"), call.names("expand"))
    return Result(Collection(projection.entities(page.items)))


# --- RenderListDataAsStream


def render_stream(call: Call) -> Result:
    """Rows as text formatted for the site (Danish), the raw value under `<Name>.`; not OData wrapped."""
    one, body = call.one_list(), call.parameters()
    caml = parse_view(one, str(body.get("ViewXml") or ""), call.rules)
    page = _page(call, one, caml, body.get("Paging"))
    names = caml.fields or [field.internal for field in one.fields if not field.builtin]
    columns = [field for name in dict.fromkeys(["ID", "Title", *names]) if (field := one.field_by_internal(name))]
    rows = _Rows(call, one, columns)
    answer: dict[str, Any] = {
        "Row": [rows.row(item) for item in page.items],
        "FirstRow": 1,
        "FolderPermissions": _PERMISSIONS,
        "LastRow": len(page.items),
        "RowLimit": caml.row_limit,
    }
    if page.next_token is not None:
        answer["NextHref"] = f"?{page.next_token}&PageFirstRow={len(page.items) + 1}"
    return Result(Raw(answer))


class _Rows:
    """Formats items of one request."""

    def __init__(self, call: Call, one: SPList, columns: list[SPField]) -> None:
        self._call = call
        self._columns = columns
        self._folder = f"{call.site.options.site_path}/Lists/{one.url_name}"

    def row(self, item: Item) -> dict[str, Any]:
        shown: dict[str, Any] = {"ID": str(item.id), "PermMask": _PERMISSIONS, "FSObjType": "0"}
        shown |= {"UniqueId": f"{{{item.guid.upper()}}}", "FileRef": f"{self._folder}/{item.id}_.000"}
        people = {"Author": item.author, "Editor": item.editor}
        times = {"Created": item.created, "Modified": item.modified}
        for field in self._columns:
            value = item.doc.get(field.internal, {**people, **times}.get(field.internal))
            if field.internal != "ID":
                shown.update(self._cell(field, value))
        return shown

    def _cell(self, field: SPField, value: Any) -> dict[str, Any]:
        name = field.internal
        match field.type:
            case "Number" | "Currency":
                raw = "" if value is None else f"{value:.14g}"
                return {name: _danish_number(field, value), f"{name}.": raw}
            case "DateTime":
                return {name: self._danish_time(field, value), f"{name}.": value or ""}
            case "Boolean":
                return {name: "Yes" if value else "No", f"{name}.value": "1" if value else "0"}
            case "URL":
                return {name: (value or {}).get("Url", ""), f"{name}.desc": (value or {}).get("Description", "")}
            case "MultiChoice":
                return {name: value or []}
            case _ if field.is_lookup:
                return {name: self._targets(field, value)}
            case _:
                return {name: "" if value is None else value}

    def _danish_time(self, field: SPField, value: str | None) -> str:
        if not value:
            return ""
        local = datetime.fromisoformat(value).astimezone(self._call.site.options.tzinfo)
        return local.strftime("%d-%m-%Y" if field.date_only else "%d-%m-%Y %H:%M")

    def _targets(self, field: SPField, value: Any) -> Any:
        ids = value if isinstance(value, list) else [] if value is None else [value]
        if field.type.startswith("User"):
            users = [user_json(one) for one in ids]
            return [{"id": str(user["Id"]), "title": user["Title"], "email": user["Email"]} for user in users]
        target = self._call.store.list_by_id(field.lookup_list or "")
        titles = {} if target is None else self._call.store.titles(target, ids, field.lookup_field or "Title")
        found = [{"lookupId": one, "lookupValue": str(titles.get(one, "")), "isSecretFieldValue": False} for one in ids]
        return found or ""


def _danish_number(field: SPField, value: float | None) -> str:
    if value is None:
        return ""
    places = field.decimals if field.decimals is not None else (2 if field.type == "Currency" else None)
    text = f"{value:,.{places}f}" if places is not None else f"{value:,.14g}"
    swapped = text.replace(",", " ").replace(".", ",").replace(" ", ".")
    return f"{swapped} kr." if field.type == "Currency" and field.lcid == 1030 else swapped


# --- GetListItemChangesSinceToken


def read_changes_since_token(call: Call) -> Result:
    """The XML of changed and deleted items; an empty token means all items."""
    one, body = call.one_list(), call.parameters("query")
    token = body.get("ChangeToken")
    sequence, since = changes.start_of(call, one, token) if token else (0, None)
    limit = int(body.get("RowLimit") or 100)
    last, deleted, items = changes.current_token(call, one), list[int](), list[Item]()
    if token and since is not None:
        rows = call.store.changes(one, sequence, since.strftime("%Y-%m-%dT%H:%M:%SZ"), limit)
        deleted = [row[1] for row in rows if row[3] == DELETED]
        live = dict.fromkeys(row[1] for row in rows if row[3] != DELETED)
        items = [item for item_id in live if (item := call.store.get_item(one, item_id)) is not None]
        if rows:
            last = changes.token(one, datetime.fromisoformat(rows[-1][4]), rows[-1][0])
    elif not token:
        options = str(body.get("QueryOptions") or "")
        items = _page(call, one, Caml(row_limit=limit), _position(options)).items
    return Result(Raw(_changes_xml(items, deleted, last, limit)))


def _position(options: str) -> str | None:
    marker = 'ListItemCollectionPositionNext="'
    if marker not in options:
        return None
    return options.split(marker, 1)[1].split('"', 1)[0].replace("&amp;", "&")


def _changes_xml(items: list[Item], deleted: list[int], last: str, limit: int) -> str:
    gone = "".join(f'<Id ChangeType="Delete">{item_id}</Id>' for item_id in deleted)
    rows = "".join(f"<z:row {_row_attributes(item)} />" for item in items)
    more = (
        f" ListItemCollectionPositionNext={quoteattr(f'Paged=TRUE&p_ID={items[-1].id}')}" if len(items) >= limit else ""
    )
    return (
        '<?xml version="1.0" encoding="utf-8"?><GetListItems xmlns:rs="urn:schemas-microsoft-com:rowset" '
        f'xmlns:z="#RowsetSchema"><Changes LastChangeToken={quoteattr(last)}>{gone}</Changes>'
        f'<rs:data ItemCount="{len(items)}"{more}>{rows}</rs:data></GetListItems>'
    )


def _row_attributes(item: Item) -> str:
    values = {"ID": item.id, "Modified": item.modified, **item.doc}
    return " ".join(f"ows_{quote(name)}={quoteattr(str(value))}" for name, value in values.items())
