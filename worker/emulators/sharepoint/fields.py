"""Columns over REST: shape, creation from XML or parameters, changes, indexes (reference, sections 4.8, 6.4, 7)."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree

from worker.emulators.sharepoint import errors, kept_texts
from worker.emulators.sharepoint.calls import Call, shaped, shaped_collection
from worker.emulators.sharepoint.field_shape import field_entity
from worker.emulators.sharepoint.formats import Entity, Named, Result
from worker.emulators.sharepoint.models import INDEXABLE, KINDS, SPField, SPList, new_guid
from worker.emulators.sharepoint.names import internal_name

KEEP_NAME, TO_DEFAULT_VIEW = 8, 16  # AddFieldOptions
_TYPE_OF_KIND = {
    2: "Text",
    3: "Note",
    4: "DateTime",
    6: "Choice",
    7: "Lookup",
    8: "Boolean",
    9: "Number",
    10: "Currency",
    11: "URL",
    15: "MultiChoice",
    17: "Calculated",
    20: "User",
}
# JSON property -> attribute, for what a MERGE may set.
_SETTABLE = {
    "Title": "title",
    "Required": "required",
    "Hidden": "hidden",
    "ReadOnlyField": "read_only",
    "DefaultValue": "default",
    "MaxLength": "max_length",
    "RichText": "rich_text",
    "ValidationFormula": "validation_formula",
    "ValidationMessage": "validation_message",
    "CurrencyLocaleId": "lcid",
    "LookupField": "lookup_field",
    "Formula": "formula",
}


# --- creation


def from_xml(text: str, taken: set[str], *, keep_name: bool) -> SPField:
    """A column from its XML; ODataError 400 for XML that cannot be read or an unknown type."""
    try:
        root = ElementTree.fromstring(text)  # noqa: S314
    except ElementTree.ParseError as error:
        raise errors.bad_argument(f"The field XML is not valid: {error}") from None
    get = root.attrib.get
    type_name = _xml_type(get("Type", ""), multiple=_truth(get("Mult")))
    name = get("Name") or get("StaticName")
    title = get("DisplayName") or name
    if type_name not in KINDS or title is None:
        raise errors.bad_argument("The field XML needs a known Type and a DisplayName.")
    internal = name if keep_name and name else internal_name(title, taken)
    return SPField(
        internal,
        title,
        type_name,
        id=(get("ID") or new_guid()).strip("{}").lower(),
        required=_truth(get("Required")),
        indexed=_truth(get("Indexed")),
        unique=_truth(get("EnforceUniqueValues")),
        hidden=_truth(get("Hidden")),
        read_only=_truth(get("ReadOnly")) or type_name == "Calculated",
        max_length=_whole(get("MaxLength")) or (255 if type_name == "Text" else None),
        choices=[choice.text or "" for choice in root.findall("CHOICES/CHOICE")],
        default=root.findtext("Default"),
        date_only=type_name == "DateTime" and get("Format", "DateOnly") == "DateOnly",
        decimals=_whole(get("Decimals")),
        lcid=_whole(get("LCID")),
        lookup_list=(get("List") or "").strip("{}").lower() or None,
        lookup_field=get("ShowField") or ("Title" if type_name.startswith("Lookup") else None),
        formula=root.findtext("Formula"),
        rich_text=_truth(get("RichText")),
        extra={key: get(key) for key in ("Description", "Group") if get(key) is not None},
    )


def _xml_type(name: str, *, multiple: bool) -> str:
    return f"{name}Multi" if multiple and name in ("Lookup", "User") else name


def _truth(text: str | None) -> bool:
    return (text or "").lower() in ("true", "1")


def _whole(text: str | None) -> int | None:
    return int(text) if text and text.isdigit() else None


def from_parameters(body: dict[str, Any], taken: set[str]) -> SPField:
    """A column from `{"Title","FieldTypeKind",...}`."""
    type_name = _TYPE_OF_KIND.get(body.get("FieldTypeKind", 0))
    if type_name is None or not body.get("Title"):
        raise errors.bad_argument("A field needs a Title and a known FieldTypeKind.")
    choices = body.get("Choices") or []
    field = SPField(
        internal_name(body["Title"], taken),
        body["Title"],
        type_name,
        required=bool(body.get("Required")),
        unique=bool(body.get("EnforceUniqueValues")),
        indexed=bool(body.get("Indexed") or body.get("EnforceUniqueValues")),
        max_length=body.get("MaxLength") or (255 if type_name == "Text" else None),
        choices=choices.get("results", []) if isinstance(choices, dict) else list(choices),
        default=body.get("DefaultValue"),
        date_only=type_name == "DateTime" and body.get("DisplayFormat", 0) == 0,
        lookup_list=str(body.get("LookupListId") or body.get("LookupList") or "").strip("{}").lower() or None,
        lookup_field=body.get("LookupFieldName") or body.get("LookupField"),
        formula=body.get("Formula"),
        read_only=type_name == "Calculated",
    )
    field.extra.update({key: body[key] for key in ("Description", "Group") if body.get(key)})
    return field


def add_field(call: Call, field: SPField, options: int = 0) -> Result:
    """Keep a new column of the list in hand."""
    one = call.one_list()
    if one.field_by_internal(field.internal) is not None:
        raise errors.duplicate_column(field.internal)
    if field.type.startswith("Lookup"):
        target = call.store.list_by_id(field.lookup_list or "")
        if target is None:
            raise errors.bad_argument(f"The look-up list '{field.lookup_list}' does not exist.")
    if field.unique:
        field.indexed = field.indexed or field.type in INDEXABLE
    if field.kept_in_index:
        _check_index(call, one, field)
    one.fields.append(field)
    view = one.default_view()
    if options & TO_DEFAULT_VIEW and view is not None:
        view.fields.append(field.internal)
    one.version += 1
    if field.kept_in_index:
        call.store.build_index(one, field)
    call.store.save_list(one)
    return Result(_entity(call, one, field), 201)


def _entity(call: Call, one: SPList, field: SPField) -> Entity:
    return field_entity(one, field, call.site.options.site_path)


# --- handlers


def read_fields(call: Call) -> Result:
    one = call.one_list()
    return shaped_collection(call, [_entity(call, one, field) for field in one.fields])


def read_field(call: Call) -> Result:
    return shaped(call, _entity(call, *call.field()))


def create_field_as_xml(call: Call) -> Result:
    """`{"parameters":{"SchemaXml","Options"}}`; without option 8 the name comes from the display title."""
    body = call.parameters()
    options = int(body.get("Options") or 0)
    taken = {field.internal for field in call.one_list().fields}
    keep = bool(options & KEEP_NAME)
    return add_field(call, from_xml(str(body.get("SchemaXml") or ""), taken, keep_name=keep), options)


def create_field(call: Call) -> Result:
    taken = {field.internal for field in call.one_list().fields}
    return add_field(call, from_parameters(call.parameters(), taken))


def update_field(call: Call) -> Result:
    """MERGE of a column's properties; what is not understood is kept and given back."""
    one, field = call.field()
    body = call.json()
    set_index(call, one, field, body.get("Indexed"), body.get("EnforceUniqueValues"))
    for name, value in body.items():
        if name == "CustomFormatter":
            field.custom_formatter = kept_texts.formatting(call, value)
        elif name in _SETTABLE:
            setattr(field, _SETTABLE[name], value)
        elif name == "Choices":
            field.choices = list(value.get("results", []) if isinstance(value, dict) else value)
        elif name in ("Description", "Group", "JSLink"):
            field.extra[name] = value
    one.version += 1
    call.store.save_list(one)
    return Result(status=204)


def set_index(call: Call, one: SPList, field: SPField, indexed: bool | None, unique: bool | None) -> None:
    """Turn a column's index and uniqueness on or off, within the limits of section 7."""
    before = field.indexed, field.unique
    wanted_unique = field.unique if unique is None else unique
    wanted_index = field.indexed if indexed is None else indexed
    if wanted_unique and not wanted_index:
        raise errors.cannot_index("This field must be indexed before it can enforce unique values.")
    if (wanted_index, wanted_unique) == before:
        return
    if wanted_index != field.indexed:
        _check_index(call, one, field)
    field.indexed, field.unique = wanted_index, wanted_unique
    if not wanted_index:
        call.store.drop_index(one, field)
        return
    call.store.build_index(one, field)
    if wanted_unique and call.store.has_repeated_value(one, field):
        field.indexed, field.unique = before
        if not field.indexed:
            call.store.drop_index(one, field)
        raise errors.cannot_index("Unique values cannot be enforced: the column has duplicate values.")


def _check_index(call: Call, one: SPList, field: SPField) -> None:
    if field.type not in INDEXABLE:
        raise errors.cannot_index(f"A column of type {field.type} cannot be indexed.")
    if one.item_count > call.site.options.index_item_limit:
        raise errors.over_threshold()
    others = [item for item in one.fields if item.indexed and item is not field]
    if len(others) >= call.site.options.max_indexes:
        raise errors.cannot_index("The maximum number of indexed columns of this list has been reached.")


def enable_index(call: Call) -> Result:
    one, field = call.field()
    set_index(call, one, field, indexed=True, unique=None)
    call.store.save_list(one)
    return Result(Named("EnableIndex", True))


def delete_field(call: Call) -> Result:
    one, field = call.field()
    if field.builtin:
        raise errors.cannot_index("The field cannot be deleted because it is a built-in field.")
    call.store.drop_index(one, field)
    one.fields.remove(field)
    for view in one.views:
        view.fields = [name for name in view.fields if name != field.internal]
    one.version += 1
    call.store.save_list(one)
    return Result()


def show_in_form(call: Call) -> Result:
    """setShowInNewForm and its kin: kept, and without effect here."""
    one, field = call.field()
    name = call.address.route.rsplit("/", 1)[-1]
    field.extra[name] = bool(call.address.arguments and str(call.address.arguments[0]).lower() == "true")
    call.store.save_list(one)
    return Result(Named(name, None))
