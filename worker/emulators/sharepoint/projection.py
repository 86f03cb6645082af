"""Items as REST shows them: which properties, in which order, with looked-up values where asked for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from worker.emulators.sharepoint import errors
from worker.emulators.sharepoint.formats import Entity
from worker.emulators.sharepoint.models import Item, SPField, SPList
from worker.emulators.sharepoint.names import entity_type, property_name
from worker.emulators.sharepoint.people import user_json
from worker.emulators.sharepoint.sql import field_of
from worker.emulators.sharepoint.values import Rules, TypedDict, TypedList, to_json, write_name

# How a property is had: the internal name of a kept value that is shown as it is, or a function. Names apart,
# because pages of thousands of rows consist mostly of those.
Getter = Callable[[Item], Any]
Source = str | Getter
CONTENT_TYPE_ID = "0x0100"
_HEAD: dict[str, Getter] = {
    "FileSystemObjectType": lambda _: 0,
    "Id": lambda item: item.id,
    "ServerRedirectedEmbedUri": lambda _: None,
    "ServerRedirectedEmbedUrl": lambda _: "",
}
_TAIL: dict[str, Getter] = {
    "ComplianceAssetId": lambda _: None,
    "ID": lambda item: item.id,
    "Modified": lambda item: item.modified,
    "Created": lambda item: item.created,
    "AuthorId": lambda item: item.author,
    "EditorId": lambda item: item.editor,
    "OData__UIVersionString": lambda item: item.version_label,
    "Attachments": lambda _: False,
    "GUID": lambda item: item.guid,
}
_PEOPLE: dict[str, Getter] = {"Author": lambda item: item.author, "Editor": lambda item: item.editor}


def list_path(one: SPList) -> str:
    """A list's address below `_api/`."""
    return f"Web/Lists(guid'{one.id}')"


def item_path(one: SPList, item_id: int) -> str:
    return f"{list_path(one)}/Items({item_id})"


class Projection:
    """The properties of one request on one list; ODataError for names that do not exist."""

    def __init__(self, one: SPList, rules: Rules, select: Sequence[str], expand: Sequence[str]) -> None:
        self._list = one
        self._rules = rules
        self._expand = {name.split("/")[0] for name in expand}
        self._getters: dict[str, Source] = {}
        self._parts: dict[str, list[str]] = {}  # looked-up properties by look-up column
        if select:
            for name in select:
                self._add(name)
        else:
            self._add_all()
        self._check_lookups()

    def _add(self, name: str) -> None:
        if name == "*":
            self._add_all()
        elif "/" in name:
            self._add_part(*name.split("/", 1))
        elif name in ("Id", "ID"):
            # As recorded: either spelling gives both.
            self._getters.update(Id=_HEAD["Id"], ID=_HEAD["Id"])
        else:
            self._getters[name] = self._getter(name)

    def _add_all(self) -> None:
        type_id = self._list.content_types[0].string_id if self._list.content_types else CONTENT_TYPE_ID
        self._getters.update(_HEAD)
        self._getters["ContentTypeId"] = lambda _: type_id
        for field in self._list.fields:
            if field.internal == "Title" or not field.builtin:
                self._getters[write_name(field)] = _getter_of(field)
        self._getters.update(_TAIL)

    def _add_part(self, head: str, part: str) -> None:
        field = field_of(self._list, head)
        if field is None:
            raise errors.unknown_field(head)
        if head not in self._expand or not field.is_lookup:
            raise errors.not_expanded(head)
        self._parts.setdefault(property_name(field.internal), []).append(part)

    def _getter(self, name: str) -> Source:
        if name in _HEAD or name in _TAIL:
            return {**_HEAD, **_TAIL}[name]
        field = field_of(self._list, name)
        if name.endswith("StringId") and field is None:
            inner = self._getter(name.removesuffix("StringId") + "Id")
            return lambda item: None if (found := _value(inner, item)) is None else str(found)
        if name == "ContentTypeId" and self._list.content_types:
            type_id = self._list.content_types[0].string_id
            return lambda _: type_id
        return self._plain_getter(name, field)

    def _plain_getter(self, name: str, field: SPField | None) -> Source:
        links: dict[str, Getter] = {
            "FileRef": lambda item: f"{self._folder}/{item.id}_.000",
            "FileDirRef": lambda _: self._folder,
            "FileLeafRef": lambda item: f"{item.id}_.000",
        }
        if name in links:
            return links[name]
        if field is None or (field.builtin and field.internal != "Title"):
            raise errors.unknown_field(name)
        if field.is_lookup and name != write_name(field):
            raise errors.not_expanded(name)
        return _getter_of(field)

    @property
    def _folder(self) -> str:
        return f"{self._rules.options.site_path}/Lists/{self._list.url_name}"

    def _check_lookups(self) -> None:
        lookups = [field for field in self._list.fields if field.is_lookup and not field.hidden]
        used = [field for field in lookups if self._uses(field)]
        if len(used) > self._rules.options.lookup_threshold:
            raise errors.too_many_lookups()

    def _uses(self, field: SPField) -> bool:
        return write_name(field) in self._getters or property_name(field.internal) in self._parts

    def entities(self, items: Sequence[Item]) -> list[Entity]:
        """The items as objects, look-ups resolved together."""
        looked_up = {name: self._look_up(name, parts, items) for name, parts in self._parts.items()}
        getters = list(self._getters.items())
        type_name, path = f"SP.Data.{self._list.entity_name}ListItem", list_path(self._list)
        long_etag = self._rules.switches.get("body_etag") == "long"
        entities = []
        for item in items:
            kept = item.doc.get
            value = {name: kept(get) if isinstance(get, str) else get(item) for name, get in getters}
            for name, found in looked_up.items():
                value[name] = found[item.id]
            etag = item.etag if long_etag else item.short_etag
            entities.append(Entity(value, type_name, f"{path}/Items({item.id})", etag, item.guid, flat=True))
        return entities

    def _look_up(self, name: str, parts: list[str], items: Sequence[Item]) -> dict[int, Any]:
        """What each item shows for one expanded column."""
        field = field_of(self._list, name)
        if field is None:
            raise errors.unknown_field(name)
        source: Source = _PEOPLE.get(field.internal) or field.internal
        ids = {item.id: _as_list(_value(source, item)) for item in items}
        shown = self._targets(field, {one for many in ids.values() for one in many}, parts)
        result: dict[int, Any] = {}
        for item_id, many in ids.items():
            found = [shown[one] for one in many if one in shown]
            result[item_id] = TypedList("Collection(SP.ListItem)", found) if field.is_multiple else None
            if found and not field.is_multiple:
                result[item_id] = found[0]
        return result

    def _targets(self, field: SPField, ids: set[int], parts: list[str]) -> dict[int, TypedDict]:
        if field.type.startswith("User"):
            return {one: _person(one, parts) for one in ids}
        target = self._rules.store.list_by_id(field.lookup_list or "")
        if target is None:
            return {}
        inner = Projection(target, self._rules, parts, ())
        rows = [row for one in sorted(ids) if (row := self._rules.store.get_item(target, one)) is not None]
        wanted = set(parts) | ({"Id"} if "ID" in parts else set())
        return {
            row.id: TypedDict(
                entity_type(target.url_name),
                {name: value for name, value in entity.value.items() if name in wanted},
            )
            for row, entity in zip(rows, inner.entities(rows), strict=True)
        }


def _value(source: Source, item: Item) -> Any:
    return item.doc.get(source) if isinstance(source, str) else source(item)


def _getter_of(field: SPField) -> Source:
    name = field.internal
    if field.type == "URL" or field.is_multiple:
        return lambda item: to_json(field, item.doc.get(name))
    return name


def _person(user_id: int, parts: list[str]) -> TypedDict:
    shown = {**user_json(user_id), "ID": user_id, "EMail": user_json(user_id)["Email"]}
    unknown = [part for part in parts if part not in shown and part != "Name"]
    if unknown:
        raise errors.unknown_field(unknown[0])
    return TypedDict("SP.Data.UserInfoItem", {part: shown.get(part, shown["LoginName"]) for part in parts})


def _as_list(value: Any) -> list[int]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]
