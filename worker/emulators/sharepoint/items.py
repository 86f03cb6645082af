"""Items over REST: read, create, update, delete, recycle, versions (reference, sections 6.2, 6.3 and 8)."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from worker.emulators.sharepoint import errors, validation
from worker.emulators.sharepoint.calls import Call
from worker.emulators.sharepoint.formats import Collection, Entity, Named, Result
from worker.emulators.sharepoint.models import Item, SPField, SPList, new_guid
from worker.emulators.sharepoint.people import user_json
from worker.emulators.sharepoint.projection import Projection, item_path
from worker.emulators.sharepoint.querying import (
    DEFAULT_TOP,
    MAX_TOP,
    Query,
    parse_order,
    parse_token,
    read_page,
)
from worker.emulators.sharepoint.values import TypedDict, default_of, to_kept, writable_fields

# Properties a write may carry without effect: SharePoint keeps these itself.
_KEPT_BY_SITE = frozenset(
    {"Id", "ID", "GUID", "ContentTypeId", "ComplianceAssetId", "Modified", "Created", "AuthorId", "EditorId"}
    | {"Attachments", "OData__UIVersionString", "FileSystemObjectType"}
    | {"ServerRedirectedEmbedUri", "ServerRedirectedEmbedUrl"}
)


# --- reading


def read_items(call: Call) -> Result:
    """A page of items. `$skip` is ignored, as SharePoint does; pages go on by the link."""
    call.check_options()
    one = call.one_list()
    projection = Projection(one, call.rules, call.names("select"), call.names("expand"))
    page = read_page(one, _query(call, one), call.rules)
    link = None if page.next_token is None else _next_link(call, page.next_token)
    return Result(Collection(projection.entities(page.items), link))


def _query(call: Call, one: SPList) -> Query:
    top = call.number("top")
    if top is not None and top > MAX_TOP:
        raise errors.over_threshold()
    token, order = call.option("skiptoken"), call.option("orderby")
    return Query(
        top=DEFAULT_TOP if top is None else top,
        where=call.filter(),
        order=parse_order(one, order) if order else (),
        after=parse_token(token) if token else None,
    )


def _next_link(call: Call, token: str) -> str:
    """The recorded form: `%24skiptoken=Paged%3dTRUE%26p_ID%3d100&%24select=...&%24top=100`."""
    rest = [
        f"{quote(name, safe='')}={_lower_quote(value)}" for name, value in call.query.items() if name != "$skiptoken"
    ]
    host = call.base.removesuffix(call.site.options.site_path)
    path = quote(call.path, safe="/%()")
    return f"{host}{path}?" + "&".join([f"%24skiptoken={_lower_quote(token)}", *rest])


def _lower_quote(text: str) -> str:
    """Percent-encoded with lower-case digits, which is how SharePoint writes its links."""
    return "".join(quote(char, safe="").lower() if quote(char, safe="") != char else char for char in text)


def read_item(call: Call) -> Result:
    one, item = call.item()
    projection = Projection(one, call.rules, call.names("select"), call.names("expand"))
    return Result(projection.entities([item])[0], headers={"ETag": item.etag})


def item_entity(call: Call, one: SPList, item: Item) -> Entity:
    """An item with all its properties."""
    if "projection" not in one.derived:
        one.derived["projection"] = Projection(one, call.rules, (), ())
    projection: Projection = one.derived["projection"]
    return projection.entities([item])[0]


def read_versions(call: Call) -> Result:
    """The kept versions, newest first."""
    one, item = call.item()
    newest = item.ui_version
    members = []
    for number, modified, editor, doc in call.store.versions(one, item.id):
        then = Item(**{**vars(item), "ui_version": number, "modified": modified, "editor": editor, "doc": doc})
        value = {
            "IsCurrentVersion": number == newest,
            "VersionId": number * 512,
            "VersionLabel": f"{number}.0",
            **item_entity(call, one, then).value,
            "Editor": TypedDict("SP.FieldUserValue", {"LookupId": editor, "LookupValue": user_json(editor)["Title"]}),
        }
        path = f"{item_path(one, item.id)}/versions({number * 512})"
        members.append(Entity(value, "SP.ListItemVersion", path))
    return Result(Collection(members[: call.number("top")]))


# --- writing


def create_item(call: Call) -> Result:
    one = call.one_list()
    item = add_item(call, one, call.json(typed=True))
    headers = {"ETag": item.etag, "Location": f"{call.base}/_api/{item_path(one, item.id)}"}
    return Result(item_entity(call, one, item), 201, headers)


def add_item(call: Call, one: SPList, body: dict[str, Any]) -> Item:
    """Keep a new item made of REST properties; ODataError when a value or rule refuses it."""
    doc = {field.internal: default_of(field, call.rules) for field in one.fields if field.default is not None}
    doc.update(_values(call, one, body))
    return keep_new(call, one, doc)


def keep_new(call: Call, one: SPList, doc: dict[str, Any]) -> Item:
    """Keep a new item made of values that are already in kept form."""
    check_rules(call, one, doc, None, one.fields)
    now = call.now()
    item = Item(one.next_id, new_guid(), 1, 1, now, now, call.user, call.user, _without_blanks(doc))
    one.next_id += 1
    call.store.insert_item(one, item)
    call.touched.add(one.number)
    return item


def update_item(call: Call) -> Result:
    """MERGE: the columns sent are set, a new version is kept."""
    one, item = call.item()
    call.check_version(item)
    changes = _values(call, one, call.json(typed=True))
    after = change_item(call, one, item, {**item.doc, **changes}, list(changes))
    return Result(status=204, headers={"ETag": after.etag})


def replace_item(call: Call) -> Result:
    """PUT: every column not sent goes back to its default."""
    one, item = call.item()
    call.check_version(item)
    doc = {field.internal: default_of(field, call.rules) for field in one.fields if field.default is not None}
    doc.update(_values(call, one, call.json(typed=True)))
    after = change_item(call, one, item, doc, [field.internal for field in one.fields])
    return Result(status=204, headers={"ETag": after.etag})


def change_item(
    call: Call, one: SPList, item: Item, doc: dict[str, Any], changed: list[str], *, quiet: bool = False
) -> Item:
    """Keep changed values; `quiet` makes no new version (UpdateOverwriteVersion, section 8)."""
    fields = [field for field in one.fields if field.internal in changed]
    check_rules(call, one, doc, item.id, fields)
    after = Item(
        id=item.id,
        guid=item.guid,
        version=item.version + 1,
        ui_version=item.ui_version + (1 if one.versioning and not quiet else 0),
        created=item.created,
        modified=call.now(),
        author=item.author,
        editor=call.user,
        doc=_without_blanks(doc),
    )
    call.store.update_item(one, item, after)
    call.touched.add(one.number)
    return after


def _values(call: Call, one: SPList, body: dict[str, Any]) -> dict[str, Any]:
    """The kept values of a REST body by internal name."""
    known = writable_fields(one)
    values: dict[str, Any] = {}
    for name, value in body.items():
        field = known.get(name)
        if field is None:
            if name in _KEPT_BY_SITE:
                continue
            raise errors.unknown_property(name, f"SP.Data.{one.entity_name}ListItem")
        kept = to_kept(field, value, call.rules)
        if _may_write(call, field):
            values[field.internal] = kept
    return values


def _may_write(call: Call, field: SPField) -> bool:
    if not field.read_only:
        return True
    position = call.switch("read_only_field")
    if position == "refused":
        raise errors.read_only(field.title)
    return position == "accepted" and field.type != "Calculated"


def check_rules(call: Call, one: SPList, doc: dict[str, Any], item_id: int | None, fields: list[SPField]) -> None:
    """Unique columns among `fields`, then the validation formulas."""
    for field in fields:
        if field.unique:
            _check_unique(call, one, field, doc.get(field.internal), item_id)
    validation.check(one, doc)


def _check_unique(call: Call, one: SPList, field: SPField, value: Any, item_id: int | None) -> None:
    if value is None and call.switch("unique_blanks") == "several":
        return
    others = [found for found in call.store.ids_with_value(one, field, value) if found != item_id]
    if others and isinstance(value, str) and call.switch("unique_case") == "sensitive":
        shown = call.store.titles(one, others, field.internal)
        others = [found for found in others if shown.get(found) == value]
    if others:
        raise errors.duplicate_value(field.title, call.rules.status("duplicate_key_status"))


def _without_blanks(doc: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in doc.items() if value is not None}


# --- taking away


def delete_item(call: Call) -> Result:
    one, item = call.item()
    call.check_version(item)
    recycle = call.switch("delete") == "recycle"
    call.store.delete_item(one, item, call.user, call.now(), recycle=recycle)
    call.touched.add(one.number)
    return Result()


def recycle_item(call: Call) -> Result:
    one, item = call.item()
    call.touched.add(one.number)
    bin_id = call.store.delete_item(one, item, call.user, call.now(), recycle=True)
    return Result(Named("Recycle", bin_id))
