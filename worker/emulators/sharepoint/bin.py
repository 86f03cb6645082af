"""The recycle bin over REST: list, restore, purge."""

from __future__ import annotations

from typing import Any

from worker.emulators.sharepoint import errors, items
from worker.emulators.sharepoint.calls import Call, shaped, shaped_collection
from worker.emulators.sharepoint.formats import Entity, Named, Result
from worker.emulators.sharepoint.models import Item
from worker.emulators.sharepoint.people import user_json
from worker.emulators.sharepoint.store import RESTORED

Row = tuple[str, int, dict[str, Any], str | None, str, int]


def _entity(call: Call, row: Row) -> Entity:
    bin_id, number, item, title, deleted, deleter = row
    one = call.store.list_by_number(number)
    folder = f"{call.site.options.site_path.lstrip('/')}/Lists/{one.url_name if one else ''}"
    value = {
        "DeletedByEmail": user_json(deleter)["Email"],
        "DeletedByName": user_json(deleter)["Title"],
        "DeletedDate": deleted,
        "DirName": folder,
        "Id": bin_id,
        "ItemState": 1,
        "ItemType": 3,
        "LeafName": f"{item['id']}_.000",
        "Size": 0,
        "Title": title,
    }
    return Entity(value, "SP.RecycleBinItem", f"Web/RecycleBin('{bin_id}')")


def read_bin(call: Call) -> Result:
    return shaped_collection(call, [_entity(call, row) for row in call.store.bin_rows()])


def _row(call: Call) -> Row:
    key = str(call.address.keys["recycled"]).lower()
    row = next((row for row in call.store.bin_rows() if row[0] == key), None)
    if row is None:
        raise errors.bad_argument("The recycle bin item does not exist.")
    return row


def read_one(call: Call) -> Result:
    return shaped(call, _entity(call, _row(call)))


def restore(call: Call) -> Result:
    """Put the item back under its old id; a unique column may refuse it."""
    bin_id, number, kept, *_ = _row(call)
    one = call.store.list_by_number(number)
    if one is None:
        raise errors.no_such_list_id()
    item = Item(**kept)
    items.check_rules(call, one, item.doc, item.id, one.fields)
    call.store.take_from_bin(bin_id)
    call.store.insert_item(one, item, RESTORED)
    call.touched.add(number)
    return Result(Named("Restore", None))


def purge(call: Call) -> Result:
    call.store.take_from_bin(_row(call)[0])
    return Result()
