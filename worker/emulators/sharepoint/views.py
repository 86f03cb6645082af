"""Views and their columns over REST (reference, sections 4.8 and 12)."""

from __future__ import annotations

from typing import Any

from worker.emulators.sharepoint import errors, kept_texts
from worker.emulators.sharepoint.calls import Call, shaped, shaped_collection
from worker.emulators.sharepoint.formats import Entity, Named, Result
from worker.emulators.sharepoint.models import SPList, SPView
from worker.emulators.sharepoint.projection import list_path
from worker.emulators.sharepoint.values import TypedDict, TypedList

_SETTABLE = {
    "Title": "title",
    "RowLimit": "row_limit",
    "Paged": "paged",
    "Hidden": "hidden",
}
ALL_ITEMS = "AllItems"


def view_entity(one: SPList, view: SPView, site_path: str) -> Entity:
    """A view as REST shows it."""
    folder = f"{site_path}/Lists/{one.url_name}"
    value = {
        "Aggregations": view.extra.get("Aggregations"),
        "CustomFormatter": view.custom_formatter,
        "DefaultView": view.default,
        "Hidden": view.hidden,
        "HtmlSchemaXml": view_xml(view),
        "Id": view.id,
        "ListViewXml": view_xml(view),
        "MobileView": True,
        "OrderedView": False,
        "Paged": view.paged,
        "PersonalView": view.personal,
        "ReadOnlyView": False,
        "RowLimit": view.row_limit,
        "Scope": 0,
        "ServerRelativeUrl": f"{folder}/{ALL_ITEMS if view.default else view.title}.aspx",
        "Title": view.title,
        "ViewQuery": view.query,
        "ViewType": "HTML",
    }
    return Entity(value, "SP.View", f"{list_path(one)}/Views(guid'{view.id}')")


def view_xml(view: SPView) -> str:
    refs = "".join(f'<FieldRef Name="{name}" />' for name in view.fields)
    paged = "TRUE" if view.paged else "FALSE"
    return (
        f'<View Name="{{{view.id.upper()}}}" Type="HTML"><Query>{view.query}</Query><ViewFields>{refs}</ViewFields>'
        f'<RowLimit Paged="{paged}">{view.row_limit}</RowLimit></View>'
    )


def _entity(call: Call, one: SPList, view: SPView) -> Entity:
    return view_entity(one, view, call.site.options.site_path)


def read_views(call: Call) -> Result:
    one = call.one_list()
    return shaped_collection(call, [_entity(call, one, view) for view in one.views])


def read_view(call: Call) -> Result:
    """One view; GetByTitle of a missing one may answer 200 with empty data (a switch)."""
    missing_may_be_empty = "view-title" in call.address.keys and call.switch("missing_view") == "empty"
    try:
        one, view = call.view()
    except errors.ODataError:
        if missing_may_be_empty:
            return Result(Named("GetByTitle", None))
        raise
    return shaped(call, _with_fields(call, one, view))


def _with_fields(call: Call, one: SPList, view: SPView) -> Entity:
    """The view, with its columns when `$expand=ViewFields` asks."""
    entity = _entity(call, one, view)
    if "viewfields" in [name.lower() for name in call.names("expand")]:
        shown = {**entity.value, "ViewFields": _view_fields(view)}
        return Entity(shown, entity.type_name, entity.path)
    return entity


def read_default_view(call: Call) -> Result:
    one = call.one_list()
    view = one.default_view()
    if view is None:
        raise errors.no_such_resource(call.address.text)
    return shaped(call, _with_fields(call, one, view))


def create_view(call: Call) -> Result:
    """`{"Title","RowLimit","ViewQuery"|"Query","ViewFields",...}`, plain or under `parameters`."""
    one, body = call.one_list(), call.parameters()
    if not body.get("Title"):
        raise errors.bad_argument("A view needs a Title.")
    wanted = _names(body.get("ViewFields"))
    view = SPView(
        str(body["Title"]),
        [_internal(one, name) for name in wanted] or ["LinkTitle"],
        query=kept_texts.query(call, str(body.get("ViewQuery") or body.get("Query") or "")),
        row_limit=int(body.get("RowLimit") or 30),
        paged=bool(body.get("Paged", True)),
        personal=bool(body.get("PersonalView", False)),
        custom_formatter=kept_texts.formatting(call, body.get("CustomFormatter")),
    )
    one.views.append(view)
    if body.get("DefaultView") or body.get("SetAsDefaultView"):
        _make_default(one, view)
    call.store.save_list(one)
    return Result(_entity(call, one, view), 201)


def _names(value: Any) -> list[str]:
    names = value.get("results", []) if isinstance(value, dict) else value
    return [str(name) for name in names or []]


def _internal(one: SPList, name: str) -> str:
    field = one.field_by_name(name)
    if field is None:
        raise errors.no_such_column(name)
    return field.internal


def _make_default(one: SPList, view: SPView) -> None:
    for other in one.views:
        other.default = other is view


def update_view(call: Call) -> Result:
    one, view = call.view()
    body = call.json()
    for name, attribute in _SETTABLE.items():
        if name in body:
            setattr(view, attribute, body[name])
    if "ViewQuery" in body:
        view.query = kept_texts.query(call, str(body["ViewQuery"] or ""))
    if "CustomFormatter" in body:
        view.custom_formatter = kept_texts.formatting(call, body["CustomFormatter"])
    if body.get("DefaultView"):
        _make_default(one, view)
    if "Aggregations" in body:
        view.extra["Aggregations"] = body["Aggregations"]
    call.store.save_list(one)
    return Result(status=204)


def delete_view(call: Call) -> Result:
    one, view = call.view()
    one.views.remove(view)
    call.store.save_list(one)
    return Result()


# --- the view's columns


def read_view_fields(call: Call) -> Result:
    one, view = _view_or_default(call)
    value = {"SchemaXml": "".join(f'<FieldRef Name="{name}" />' for name in view.fields)}
    return Result(Entity({**value, **_view_fields(view)}, "SP.ViewFieldCollection", f"{list_path(one)}/views/x"))


def _view_fields(view: SPView) -> TypedDict:
    return TypedDict("SP.ViewFieldCollection", {"Items": TypedList("Collection(Edm.String)", list(view.fields))})


def _view_or_default(call: Call) -> tuple[SPList, SPView]:
    if "view" in call.address.keys:
        return call.view()
    one = call.one_list()
    view = one.default_view()
    if view is None:
        raise errors.no_such_resource(call.address.text)
    return one, view


def change_view_fields(call: Call) -> Result:
    """AddViewField, RemoveViewField, RemoveAllViewFields, MoveViewFieldTo."""
    one, view = _view_or_default(call)
    action = call.address.route.rsplit("/", 1)[-1]
    name = _field_argument(call)
    if action == "removeallviewfields":
        view.fields = []
    elif action == "addviewfield":
        view.fields.append(_internal(one, name))
    elif action == "removeviewfield":
        view.fields = [field for field in view.fields if field.lower() != name.lower()]
    else:
        view.fields.remove(name)
        view.fields.insert(int(call.json().get("index", 0)), name)
    call.store.save_list(one)
    return Result(Named(call.address.text.rsplit("/", 1)[-1].split("(")[0], None))


def _field_argument(call: Call) -> str:
    if call.address.arguments:
        return str(call.address.arguments[0])
    body = call.json() if call.body else {}
    return str(body.get("strField") or body.get("field") or "")
