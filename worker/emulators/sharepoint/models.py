"""Lists, columns, views and content types as the emulator keeps them; plain data, stored as JSON."""

from __future__ import annotations

import uuid
from dataclasses import asdict, dataclass, field
from typing import Any

KINDS = {
    "Integer": 1,
    "Text": 2,
    "Note": 3,
    "DateTime": 4,
    "Counter": 5,
    "Choice": 6,
    "Lookup": 7,
    "Boolean": 8,
    "Number": 9,
    "Currency": 10,
    "URL": 11,
    "Computed": 12,
    "Guid": 14,
    "MultiChoice": 15,
    "Calculated": 17,
    "File": 18,
    "Attachments": 19,
    "User": 20,
    "ContentTypeId": 25,
    "LookupMulti": 7,
    "UserMulti": 20,
}
INDEXABLE = frozenset({"Text", "Choice", "Number", "Currency", "DateTime", "Lookup", "User", "Boolean"})
LOOKUPS = frozenset({"Lookup", "LookupMulti", "User", "UserMulti"})
MULTIPLE = frozenset({"LookupMulti", "UserMulti", "MultiChoice"})


def new_guid() -> str:
    return str(uuid.uuid4())


@dataclass
class SPField:
    """One column. `extra` holds properties that are only kept and given back (Description, Group...)."""

    internal: str
    title: str
    type: str
    id: str = field(default_factory=new_guid)
    builtin: bool = False
    required: bool = False
    indexed: bool = False
    unique: bool = False
    hidden: bool = False
    read_only: bool = False
    max_length: int | None = None
    choices: list[str] = field(default_factory=list)
    default: str | None = None
    date_only: bool = False
    decimals: int | None = None
    lcid: int | None = None
    lookup_list: str | None = None
    lookup_field: str | None = None
    formula: str | None = None
    rich_text: bool = False
    custom_formatter: str | None = None
    validation_formula: str | None = None
    validation_message: str | None = None
    extra: dict[str, Any] = field(default_factory=dict)

    @property
    def is_lookup(self) -> bool:
        return self.type in LOOKUPS

    @property
    def is_multiple(self) -> bool:
        return self.type in MULTIPLE

    @property
    def kept_in_index(self) -> bool:
        """Whether the index table has this column's values."""
        return self.indexed or self.unique


@dataclass
class SPView:
    """One view of a list."""

    title: str
    fields: list[str]
    id: str = field(default_factory=new_guid)
    query: str = ""
    row_limit: int = 30
    paged: bool = True
    default: bool = False
    hidden: bool = False
    personal: bool = False
    custom_formatter: str | None = None
    extra: dict[str, Any] = field(default_factory=dict)


@dataclass
class SPContentType:
    """One content type of a list."""

    string_id: str
    name: str
    description: str = ""
    form_formatter: str | None = None
    extra: dict[str, Any] = field(default_factory=dict)


@dataclass
class Subscription:
    """One webhook."""

    resource: str
    notification_url: str
    expiration: str
    client_state: str | None = None
    id: str = field(default_factory=new_guid)


@dataclass
class SPList:
    """One list. `number` is the store's own key; `version` is the list's etag number."""

    title: str
    url_name: str
    entity_name: str
    created: str
    id: str = field(default_factory=new_guid)
    number: int = 0
    description: str = ""
    base_template: int = 100
    versioning: bool = True
    version_limit: int = 50
    validation_formula: str | None = None
    validation_message: str | None = None
    next_id: int = 1
    item_count: int = 0
    version: int = 1
    modified: str = ""
    deleted: str = ""
    extra: dict[str, Any] = field(default_factory=dict)
    fields: list[SPField] = field(default_factory=list)
    views: list[SPView] = field(default_factory=list)
    content_types: list[SPContentType] = field(default_factory=list)
    subscriptions: list[Subscription] = field(default_factory=list)
    # What is worked out from the columns; the store empties it whenever the list is saved.
    derived: dict[str, Any] = field(default_factory=dict, compare=False, repr=False)

    def __post_init__(self) -> None:
        self.modified = self.modified or self.created
        self.deleted = self.deleted or self.created

    def field_by_internal(self, name: str) -> SPField | None:
        """The column with this internal name, letter case ignored."""
        lowered = name.lower()
        return next((item for item in self.fields if item.internal.lower() == lowered), None)

    def field_by_name(self, name: str) -> SPField | None:
        """The column with this internal name or display title."""
        lowered = name.lower()
        by_title = next((item for item in self.fields if item.title.lower() == lowered), None)
        return self.field_by_internal(name) or by_title

    def indexed_fields(self) -> list[SPField]:
        return [item for item in self.fields if item.kept_in_index]

    def default_view(self) -> SPView | None:
        return next((view for view in self.views if view.default), None)

    def to_json(self) -> dict[str, Any]:
        return {name: _plain(value) for name, value in vars(self).items() if name != "derived"}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> SPList:
        plain = {
            **data,
            "fields": [SPField(**item) for item in data["fields"]],
            "views": [SPView(**item) for item in data["views"]],
            "content_types": [SPContentType(**item) for item in data["content_types"]],
            "subscriptions": [Subscription(**item) for item in data["subscriptions"]],
        }
        return cls(**plain)


def _plain(value: Any) -> Any:
    return [asdict(one) for one in value] if isinstance(value, list) else value


def _builtin(internal: str, title: str, type_name: str, **more: Any) -> SPField:
    return SPField(internal, title, type_name, builtin=True, **more)


def builtin_fields() -> list[SPField]:
    """The columns every list is born with."""
    return [
        _builtin("ContentTypeId", "Content Type ID", "ContentTypeId", read_only=True, hidden=True),
        _builtin("Title", "Title", "Text", max_length=255, required=True),
        _builtin("ComplianceAssetId", "Compliance Asset Id", "Text", read_only=True),
        _builtin("ID", "ID", "Counter", read_only=True),
        _builtin("ContentType", "Content Type", "Computed", read_only=True),
        _builtin("Modified", "Modified", "DateTime", read_only=True),
        _builtin("Created", "Created", "DateTime", read_only=True),
        _builtin("Author", "Created By", "User", read_only=True),
        _builtin("Editor", "Modified By", "User", read_only=True),
        _builtin("_UIVersionString", "Version", "Text", read_only=True),
        _builtin("Attachments", "Attachments", "Attachments"),
        _builtin("Edit", "Edit", "Computed", read_only=True),
        _builtin("LinkTitleNoMenu", "Title", "Computed", read_only=True),
        _builtin("LinkTitle", "Title", "Computed", read_only=True),
        _builtin("GUID", "GUID", "Guid", read_only=True, hidden=True),
        _builtin("FSObjType", "Item Type", "Lookup", read_only=True, hidden=True),
        _builtin("FileRef", "URL Path", "Lookup", read_only=True, hidden=True),
        _builtin("FileDirRef", "Path", "Lookup", read_only=True, hidden=True),
        _builtin("FileLeafRef", "Name", "File", hidden=True),
    ]


@dataclass
class Item:
    """One stored item; `doc` holds the custom columns and Title by internal name, blank ones left out."""

    id: int
    guid: str
    version: int
    ui_version: int
    created: str
    modified: str
    author: int
    editor: int
    doc: dict[str, Any]

    @property
    def etag(self) -> str:
        """The long form, as headers carry it."""
        return f'"{self.guid},{self.version}"'

    @property
    def short_etag(self) -> str:
        return f'"{self.version}"'

    @property
    def version_label(self) -> str:
        return f"{self.ui_version}.0"
