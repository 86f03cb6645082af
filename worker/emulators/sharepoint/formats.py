"""The three JSON formats of SharePoint REST: verbose, minimal and no metadata (reference, section 6.1)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from worker.emulators.sharepoint.errors import ODataError
from worker.emulators.sharepoint.values import TypedDict, TypedList

Format = Literal["verbose", "minimal", "nometadata"]


@dataclass(frozen=True)
class Entity:
    """One object: its properties, type, path below `_api/`, etag of the body (None: it has none).

    `flat` says that no property is an Entity or holds some, so that thousands need not be looked through.
    """

    value: dict[str, Any]
    type_name: str
    path: str
    etag: str | None = None
    id: str | None = None
    flat: bool = False


@dataclass(frozen=True)
class Collection:
    """Several objects of one type, and the address of the next page."""

    members: Sequence[Entity]
    next_link: str | None = None


@dataclass(frozen=True)
class Named:
    """A method's or property's plain result; verbose wraps it in `name`."""

    name: str
    value: Any


@dataclass(frozen=True)
class Raw:
    """JSON that no format touches (RenderListDataAsStream)."""

    value: Any


Payload = Entity | Collection | Named | Raw | None


@dataclass
class Result:
    """An answer before it is written: status, payload, headers."""

    payload: Payload = None
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)


def format_of(accept: str) -> Format:
    """The format an Accept header asks for. No Accept would mean Atom XML, which no client here reads."""
    lowered = accept.lower().replace(" ", "")
    if "odata=verbose" in lowered:
        return "verbose"
    return "nometadata" if "odata=nometadata" in lowered or "metadata=none" in lowered else "minimal"


def content_type(format_: Format) -> str:
    if format_ == "verbose":
        return "application/json;odata=verbose;charset=utf-8"
    name = "minimalmetadata" if format_ == "minimal" else "nometadata"
    return f"application/json;odata={name};streaming=true;charset=utf-8"


def dump(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


class Writer:
    """Writes payloads; `base` is the site's address, `https://host/sites/x`."""

    def __init__(self, format_: Format, base: str) -> None:
        self.format = format_
        self._base = base

    def write(self, payload: Payload) -> bytes:
        """The body of a payload."""
        if payload is None:
            return b""
        if isinstance(payload, Raw):
            return dump(payload.value)
        if self.format == "verbose":
            return dump({"d": self._verbose_payload(payload)})
        return dump(self._light_payload(payload))

    def error(self, error: ODataError) -> bytes:
        """The body of an error; a 401 has its own shape."""
        if error.status == 401:
            return dump({"error_description": error.text})
        inner = {"code": error.code, "message": {"lang": "en-US", "value": error.text}}
        return dump({"error" if self.format == "verbose" else "odata.error": inner})

    # --- minimal and no metadata

    def _light_payload(self, payload: Entity | Collection | Named) -> dict[str, Any]:
        match payload:
            case Entity():
                return {**self._context(payload, single=True), **self._light(payload)}
            case Collection(members, next_link):
                head = self._context(members[0], single=False) if members else {}
                link = {"odata.nextLink": next_link} if next_link else {}
                if self.format == "nometadata":
                    return {**link, "value": [_light_value(member) for member in members]}
                return {**head, **link, "value": [self._light(member) for member in members]}
            case Named(name, value):
                return self._light_named(name, value)

    def _light_named(self, name: str, value: Any) -> dict[str, Any]:
        head = {"odata.metadata": f"{self._base}/_api/$metadata#{name}"} if self.format == "minimal" else {}
        if value is None:
            return {**head, "odata.null": True}
        return {**head, **value} if isinstance(value, dict) else {**head, "value": value}

    def _context(self, entity: Entity, *, single: bool) -> dict[str, Any]:
        if self.format == "nometadata":
            return {}
        suffix = "/@Element" if single else ""
        name = entity.type_name.replace("SP.Data.", "SP.ListData.")
        return {"odata.metadata": f"{self._base}/_api/$metadata#{name}s{suffix}"}

    def _light(self, entity: Entity) -> dict[str, Any]:
        value = _light_value(entity)
        if self.format == "nometadata":
            return value
        etag = {"odata.etag": entity.etag} if entity.etag else {}
        uri = f"{self._base}/_api/{entity.path}"
        head = {"odata.type": entity.type_name, "odata.id": entity.id or uri}
        return {**head, **etag, "odata.editLink": entity.path, **value}

    # --- verbose

    def _verbose_payload(self, payload: Entity | Collection | Named) -> Any:
        match payload:
            case Entity():
                return self._verbose(payload)
            case Collection(members, next_link):
                link = {"__next": next_link} if next_link else {}
                return {"results": [self._verbose(member) for member in members], **link}
            case Named(name, value):
                return {name: self._verbose_value(value)}

    def _verbose(self, entity: Entity) -> dict[str, Any]:
        uri = f"{self._base}/_api/{entity.path}"
        metadata = {"id": entity.id or uri, "uri": uri}
        if entity.etag:
            metadata["etag"] = entity.etag
        metadata["type"] = entity.type_name
        return {
            "__metadata": metadata,
            **{name: self._verbose_value(value) for name, value in entity.value.items()},
        }

    def _verbose_value(self, value: Any) -> Any:
        match value:
            case Entity():
                return self._verbose(value)
            case TypedDict():
                inner = {name: self._verbose_value(part) for name, part in value.items()}
                return {"__metadata": {"type": value.type_name}, **inner}
            case TypedList():
                return {
                    "__metadata": {"type": value.type_name},
                    "results": [self._verbose_value(part) for part in value],
                }
            case list():
                return {"results": [self._verbose_value(part) for part in value]}
            case _:
                return value


def _light_value(entity: Entity) -> dict[str, Any]:
    """The properties, with nested objects as plain ones."""
    if entity.flat:
        return entity.value
    return dict(_lightened(entity.value))


def _lightened(value: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, part in value.items():
        if isinstance(part, Entity):
            yield name, _light_value(part)
        elif isinstance(part, list):
            yield name, [_light_value(one) if isinstance(one, Entity) else one for one in part]
        else:
            yield name, part
