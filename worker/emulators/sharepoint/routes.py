"""Which handler answers which route, what role it needs, how it is billed and counted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from worker.emulators.sharepoint import bin as recycle_bin
from worker.emulators.sharepoint import changes, errors, fields, forms, hooks, items, lists, stream, views, web
from worker.emulators.sharepoint.calls import Call
from worker.emulators.sharepoint.formats import Entity, Named, Result
from worker.emulators.sharepoint.options import Role

Handler = Callable[[Call], Result]
_RANK: dict[str, int] = {"none": 0, "read": 1, "write": 2, "manage": 3}


@dataclass(frozen=True)
class Endpoint:
    """One route: its handler, the role it needs, whether it changes data, whether it reads a single item."""

    handler: Handler
    role: Role = "read"
    writes: bool = False
    single: bool = False


def _read(handler: Handler, *, single: bool = False) -> Endpoint:
    return Endpoint(handler, single=single)


def _write(handler: Handler) -> Endpoint:
    return Endpoint(handler, "write", writes=True)


def _manage(handler: Handler) -> Endpoint:
    return Endpoint(handler, "manage", writes=True)


_TABLE: dict[str, dict[str, Endpoint]] = {
    "contextinfo": {"POST": _read(web.read_context)},
    "web": {"GET": _read(web.read_web)},
    "site": {"GET": _read(web.read_site)},
    "regionalsettings": {"GET": _read(web.read_regional)},
    "regionalsettings/timezone": {"GET": _read(web.read_time_zone)},
    "effectivebasepermissions": {"GET": _read(web.read_permissions)},
    "currentuser": {"GET": _read(web.read_current_user)},
    "getuserbyid": {"GET": _read(web.read_user)},
    "user": {"GET": _read(web.read_user)},
    "ensureuser": {"POST": _read(web.ensure_user)},
    "lists": {"GET": _read(lists.read_lists), "POST": _manage(lists.create_list)},
    "lists/add": {"POST": _manage(lists.create_list)},
    "list": {
        "GET": _read(lists.read_list),
        "MERGE": _manage(lists.update_list),
        "DELETE": _manage(lists.delete_list),
    },
    "list/recycle": {"POST": _manage(lists.recycle_list)},
    "list/deleteobject": {"POST": _manage(lists.delete_list)},
    "list/rootfolder": {"GET": _read(lists.read_root_folder)},
    "list/effectivebasepermissions": {"GET": _read(web.read_permissions)},
    "list/items": {"GET": _read(items.read_items), "POST": _write(items.create_item)},
    "list/items/add": {"POST": _write(items.create_item)},
    "list/getitems": {"POST": _read(stream.read_caml_items)},
    "list/renderlistdataasstream": {"POST": _read(stream.render_stream)},
    "list/getlistitemchangessincetoken": {"POST": _read(stream.read_changes_since_token)},
    "list/addvalidateupdateitemusingpath": {"POST": _write(forms.add_validated)},
    "list/item": {
        "GET": _read(items.read_item, single=True),
        "MERGE": _write(items.update_item),
        "PUT": _write(items.replace_item),
        "DELETE": _write(items.delete_item),
    },
    "list/item/recycle": {"POST": _write(items.recycle_item)},
    "list/item/deleteobject": {"POST": _write(items.delete_item)},
    "list/item/versions": {"GET": _read(items.read_versions, single=True)},
    "list/item/parentlist": {"GET": _read(lists.read_list)},
    "list/item/validateupdatelistitem": {"POST": _write(forms.validate_update)},
    "list/fields": {"GET": _read(fields.read_fields), "POST": _manage(fields.create_field)},
    "list/fields/add": {"POST": _manage(fields.create_field)},
    "list/fields/addfield": {"POST": _manage(fields.create_field)},
    "list/fields/createfieldasxml": {"POST": _manage(fields.create_field_as_xml)},
    "list/field": {
        "GET": _read(fields.read_field),
        "MERGE": _manage(fields.update_field),
        "DELETE": _manage(fields.delete_field),
    },
    "list/field/deleteobject": {"POST": _manage(fields.delete_field)},
    "list/field/enableindex": {"POST": _manage(fields.enable_index)},
    "list/field/setshowinnewform": {"POST": _manage(fields.show_in_form)},
    "list/field/setshowineditform": {"POST": _manage(fields.show_in_form)},
    "list/field/setshowindisplayform": {"POST": _manage(fields.show_in_form)},
    "list/views": {"GET": _read(views.read_views), "POST": _manage(views.create_view)},
    "list/views/add": {"POST": _manage(views.create_view)},
    "list/view": {
        "GET": _read(views.read_view),
        "MERGE": _manage(views.update_view),
        "DELETE": _manage(views.delete_view),
    },
    "list/view/deleteobject": {"POST": _manage(views.delete_view)},
    "list/defaultview": {"GET": _read(views.read_default_view)},
    "list/contenttypes": {"GET": _read(lists.read_content_types)},
    "list/contenttype": {
        "GET": _read(lists.read_content_type),
        "MERGE": _manage(lists.update_content_type),
    },
    "list/getchanges": {"POST": _read(changes.read_changes)},
    "list/subscriptions": {"GET": _read(hooks.read_subscriptions), "POST": _write(hooks.subscribe)},
    "list/subscriptions/add": {"POST": _write(hooks.subscribe)},
    "list/subscription": {
        "GET": _read(hooks.read_subscription),
        "MERGE": _write(hooks.renew),
        "DELETE": _write(hooks.unsubscribe),
    },
    "list/subscription/delete": {"POST": _write(hooks.unsubscribe)},
    "recyclebin": {"GET": _read(recycle_bin.read_bin)},
    "recycled": {"GET": _read(recycle_bin.read_one), "DELETE": _write(recycle_bin.purge)},
    "recycled/restore": {"POST": _write(recycle_bin.restore)},
    "recycled/deleteobject": {"POST": _write(recycle_bin.purge)},
}
for _owner in ("list/view", "list/defaultview"):
    _TABLE[f"{_owner}/viewfields"] = {"GET": _read(views.read_view_fields)}
    for _action in ("addviewfield", "removeviewfield", "removeallviewfields", "moveviewfieldto"):
        _TABLE[f"{_owner}/viewfields/{_action}"] = {"POST": _manage(views.change_view_fields)}


def find_endpoint(call: Call) -> Endpoint:
    """The endpoint of a call; ODataError 404 when there is none."""
    methods = _TABLE.get(call.address.route)
    if methods is not None:
        found = methods.get(call.method)
        if found is None:
            raise errors.bad_query(f"The HTTP method '{call.method}' is not supported for '{call.address.text}'.")
        return found
    parent, _, name = call.address.route.rpartition("/")
    if call.method == "GET" and (parent or "web") in _TABLE and not call.address.arguments:
        return _property_of(_TABLE[parent or "web"].get("GET"), name, call)
    raise errors.no_such_resource(call.address.text)


def _property_of(owner: Endpoint | None, name: str, call: Call) -> Endpoint:
    """Reading one property of an object by its path, as `.../ItemCount`."""
    if owner is None:
        raise errors.no_such_resource(call.address.text)

    def handler(inner: Call) -> Result:
        inner.query = {key: value for key, value in inner.query.items() if key != "$select"}
        payload = owner.handler(inner).payload
        if isinstance(payload, Entity):
            for key, value in payload.value.items():
                if key.lower() == name:
                    return Result(Named(key, value))
        raise errors.no_such_resource(inner.address.text)

    return Endpoint(handler, owner.role, single=owner.single)


def run(call: Call, endpoint: Endpoint) -> Result:
    """Answer a call within the caller's role."""
    needed: str = endpoint.role
    if needed == "manage":
        needed = call.switch("provision_role")
    if _RANK[call.role] < _RANK[needed]:
        raise errors.access_denied()
    return endpoint.handler(call)


def cost(call: Call, endpoint: Endpoint | None) -> float:
    """Resource units of a call; one that cannot be answered still costs a read."""
    options = call.site.options
    if call.address.route == "contextinfo":
        return options.ru_item_read
    if endpoint is not None and endpoint.writes:
        return options.ru_write
    return options.ru_item_read if endpoint is not None and endpoint.single else options.ru_read


def target(call: Call) -> str:
    """What the meter counts a call under: the list's title for items, else the kind of thing."""
    parts = call.address.route.split("/")
    if parts[0] == "list":
        kind = parts[1] if len(parts) > 1 else "lists"
        kinds = {"field": "fields", "view": "views", "defaultview": "views", "contenttype": "contenttypes"}
        kinds |= {"subscription": "subscriptions", "subscriptions": "subscriptions"}
        kinds |= {name: name for name in ("lists", "fields", "views", "contenttypes")}
        if kind in kinds:
            return kinds[kind]
        one = call.find_list()
        return one.title if one is not None else "lists"
    return parts[0] if parts[0] in ("lists", "contextinfo", "recyclebin", "recycled") else "web"
