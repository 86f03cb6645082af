"""One request to the site, alone or as a part of a batch, in the shape the handlers read."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from worker.emulators.common.switches import Switches
from worker.emulators.sharepoint import errors
from worker.emulators.sharepoint.filters import Node, parse_filter
from worker.emulators.sharepoint.formats import Collection, Entity, Format, Result, format_of
from worker.emulators.sharepoint.models import Item, SPField, SPList, SPView
from worker.emulators.sharepoint.options import Role, SharePointOptions
from worker.emulators.sharepoint.paths import Address, parse_path
from worker.emulators.sharepoint.people import APP_USER, USERS
from worker.emulators.sharepoint.sql import matches
from worker.emulators.sharepoint.store import SharePointStore
from worker.emulators.sharepoint.values import Rules, stamp

_OPTIONS = frozenset(
    {"select", "expand", "filter", "orderby", "top", "skip", "skiptoken", "inlinecount", "count", "format"}
)
_VERBS = {"PATCH": "MERGE"}


@dataclass(frozen=True)
class Site:
    """The site a call belongs to."""

    store: SharePointStore
    options: SharePointOptions
    switches: Switches

    @cached_property
    def rules(self) -> Rules:
        return Rules(self.options, self.switches, self.store)


@dataclass
class Call:
    """One request: `method` is the meant one (POST with X-HTTP-Method counts as that)."""

    site: Site
    method: str
    address: Address
    query: dict[str, str]
    raw_query: str
    headers: dict[str, str]
    body: bytes
    base: str
    user: int = APP_USER
    role: Role = "manage"
    path: str = ""
    touched: set[int] = field(default_factory=set)

    @property
    def store(self) -> SharePointStore:
        return self.site.store

    @property
    def rules(self) -> Rules:
        return self.site.rules

    @property
    def format(self) -> Format:
        return format_of(self.headers.get("accept", ""))

    def switch(self, name: str) -> str:
        return self.site.switches.get(name)

    def now(self) -> str:
        return stamp(self.site.options.now())

    # --- query options

    def option(self, name: str) -> str | None:
        """A `$` option, None when it is missing or blank."""
        return self.query.get(f"${name}") or None

    def names(self, option: str) -> list[str]:
        """The comma-separated names of `$select` or `$expand`."""
        return [name.strip() for name in (self.option(option) or "").split(",") if name.strip()]

    def filter(self) -> Node | None:
        text = self.option("filter")
        return parse_filter(text, contains=self.switch("contains_filter") == "accepted") if text else None

    def number(self, option: str) -> int | None:
        """An option that is a whole number not below zero; ODataError 400 otherwise."""
        text = self.option(option)
        if text is None:
            return None
        if not text.isdigit():
            raise errors.bad_query(
                f"Invalid value '{text}' for ${option} query option found. "
                f"The ${option} query option requires a non-negative integer value."
            )
        return int(text)

    def check_options(self) -> None:
        """Refuse an unknown `$` option (a switch)."""
        unknown = [name for name in self.query if name.startswith("$") and name[1:] not in _OPTIONS]
        if unknown and self.switch("unknown_option") == "400":
            raise errors.bad_query(f"The query parameter '{unknown[0]}' is not supported.")

    # --- body

    def json(self, *, typed: bool = False) -> dict[str, Any]:
        """The JSON body without metadata; `typed` asks for `__metadata.type` when the content is verbose."""
        try:
            body = json.loads(self.body)
        except ValueError:
            raise errors.not_json() from None
        if not isinstance(body, dict):
            raise errors.not_json()
        verbose = "odata=verbose" in self.headers.get("content-type", "").lower().replace(" ", "")
        if typed and verbose and not (body.get("__metadata") or {}).get("type"):
            raise errors.no_type_name()
        if not verbose and "__metadata" in body:
            raise errors.unknown_property("__metadata", self.expected_type())
        plain: dict[str, Any] = without_metadata(body)
        return plain

    def parameters(self, name: str = "parameters") -> dict[str, Any]:
        """The object a method's body carries under `name`, or the body itself."""
        body = self.json()
        inner = body.get(name, body)
        if not isinstance(inner, dict):
            raise errors.not_json()
        return inner

    def expected_type(self) -> str:
        one = self.find_list() if "list" in self.address.keys else None
        return f"SP.Data.{one.entity_name}ListItem" if one else "SP.List"

    # --- what the path addresses

    def find_list(self) -> SPList | None:
        key, by = str(self.address.keys["list"]), self.address.list_by
        if by == "title":
            return self.store.list_by_title(key)
        if by == "url":
            prefix = f"{self.site.options.site_path}/lists/"
            path = urlsplit(key).path if "://" in key else key
            found = re.match(rf"^/?{re.escape(prefix.strip('/'))}/([^/]+)", path, re.IGNORECASE)
            return self.store.list_by_url_name(found.group(1)) if found else None
        return self.store.list_by_id(key)

    def one_list(self) -> SPList:
        """The list of the path; the error depends on how it was addressed."""
        one = self.find_list()
        if one is not None:
            return one
        if self.address.list_by == "title":
            raise errors.no_such_list(str(self.address.keys["list"]), self.base)
        raise errors.file_not_found() if self.address.list_by == "url" else errors.no_such_list_id()

    def item(self) -> tuple[SPList, Item]:
        """The list and item of the path."""
        one, key = self.one_list(), self.address.keys["item"]
        item = self.store.get_item(one, int(key)) if str(key).isdigit() else None
        if item is None:
            raise errors.no_such_item()
        return one, item

    def field(self) -> tuple[SPList, SPField]:
        """The list and column of the path: by internal name, title or id."""
        one, key = self.one_list(), str(self.address.keys["field"])
        column = next((item for item in one.fields if item.id == key.strip("{}").lower()), None)
        column = column or one.field_by_name(key)
        if column is None:
            raise errors.no_such_column(key)
        return one, column

    def view(self) -> tuple[SPList, SPView]:
        """The list and view of the path: by id or title."""
        one, key = self.one_list(), str(self.address.keys["view"]).strip("{}").lower()
        for view in one.views:
            if key in (view.id, view.title.lower()):
                return one, view
        raise errors.no_such_view()

    # --- versions

    def check_version(self, item: Item) -> None:
        """Compare IF-MATCH with the item; 412 when it is another version."""
        sent = self.headers.get("if-match")
        if sent == "*" or (sent is None and self.switch("missing_if_match") == "any"):
            return
        accepted = [item.etag]
        if self.switch("short_etag") == "accepted":
            accepted.append(item.short_etag)
        if sent is None or sent.strip() not in accepted:
            raise errors.etag_mismatch(sent or "", item.etag)


def without_metadata(value: Any) -> Any:
    """JSON without `__metadata` keys, which carry nothing once the type is checked."""
    if isinstance(value, dict):
        return {name: without_metadata(part) for name, part in value.items() if name != "__metadata"}
    if isinstance(value, list):
        return [without_metadata(part) for part in value]
    return value


def make_call(
    site: Site, method: str, url: str, headers: dict[str, str], body: bytes, base: str
) -> Call:  # the pieces of an HTTP request
    """Read a request; `url` is what follows the host, `headers` have lower-case names. ODataError 404 off site."""
    path, _, raw_query = url.partition("?")
    root = f"{site.options.site_path}/_api/"
    if not path.lower().startswith(root.lower()):
        raise errors.file_not_found()
    query = {
        (name.lower() if name.startswith(("$", "@")) else name): value
        for name, value in parse_qsl(raw_query, keep_blank_values=True)
    }
    meant = headers.get("x-http-method", method).upper() if method == "POST" else method
    address = parse_path(path[len(root) :], query)
    user = headers.get("x-emulator-user", "")
    return Call(
        site=site,
        method=_VERBS.get(meant, meant),
        address=address,
        query=query,
        raw_query=raw_query,
        headers=headers,
        body=body,
        base=base,
        user=int(user) if user.isdigit() and int(user) in USERS else APP_USER,
        path=path,
    )


def shaped(call: Call, entity: Entity) -> Result:
    """One object with `$select` applied."""
    return Result(select(call, entity), headers={"ETag": entity.etag} if entity.etag else {})


def select(call: Call, entity: Entity) -> Entity:
    """The object with the properties that `$select` names."""
    names = [name for name in call.names("select") if name != "*"]
    if not names:
        return entity
    by_name = {name.lower(): name for name in entity.value}
    chosen = {}
    for name in names:
        key = by_name.get(name.split("/")[0].lower())
        if key is None:
            raise errors.unknown_property(name, entity.type_name)
        chosen[key] = entity.value[key]
    return Entity(chosen, entity.type_name, entity.path, entity.etag, entity.id)


def shaped_collection(call: Call, entities: Sequence[Entity]) -> Result:
    """Small collections (lists, columns, views) with `$filter`, `$orderby`, `$top` and `$select` applied."""
    call.check_options()
    node = call.filter()
    chosen = [one for one in entities if node is None or matches(node, _getter(one))]
    for part in reversed((call.option("orderby") or "").split(",")):
        name, _, direction = part.strip().partition(" ")
        if name:
            chosen.sort(key=lambda one: str(_getter(one)(name)).lower(), reverse=direction.lower() == "desc")
    skip, top = call.number("skip") or 0, call.number("top")
    chosen = chosen[skip : None if top is None else skip + top]
    return Result(Collection([select(call, one) for one in chosen]))


def _getter(entity: Entity) -> Any:
    lowered = {name.lower(): value for name, value in entity.value.items()}

    def get(name: str) -> Any:
        if name.lower() not in lowered:
            raise errors.unknown_property(name, entity.type_name)
        return lowered[name.lower()]

    return get
