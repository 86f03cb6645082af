"""A column as REST shows it, and its definition as XML (reference, section 6.4, and recorded answers)."""

from __future__ import annotations

from typing import Any
from xml.sax.saxutils import escape, quoteattr

from worker.emulators.sharepoint.formats import Entity
from worker.emulators.sharepoint.models import KINDS, SPField, SPList
from worker.emulators.sharepoint.names import property_name
from worker.emulators.sharepoint.projection import list_path

_CLASSES = {
    "Text": "SP.FieldText",
    "Note": "SP.FieldMultiLineText",
    "DateTime": "SP.FieldDateTime",
    "Choice": "SP.FieldChoice",
    "MultiChoice": "SP.FieldMultiChoice",
    "Lookup": "SP.FieldLookup",
    "LookupMulti": "SP.FieldLookup",
    "Number": "SP.FieldNumber",
    "Currency": "SP.FieldCurrency",
    "URL": "SP.FieldUrl",
    "Calculated": "SP.FieldCalculated",
    "User": "SP.FieldUser",
    "UserMulti": "SP.FieldUser",
    "Computed": "SP.FieldComputed",
    "Guid": "SP.FieldGuid",
}


def field_entity(one: SPList, field: SPField, site_path: str) -> Entity:
    """A column as REST shows it, in the recorded order of properties."""
    value = {
        "AutoIndexed": False,
        "CanBeDeleted": not field.builtin,
        "ClientSideComponentId": "00000000-0000-0000-0000-000000000000",
        "ClientSideComponentProperties": None,
        "ClientValidationFormula": None,
        "ClientValidationMessage": None,
        "CustomFormatter": field.custom_formatter,
        "DefaultFormula": None,
        "DefaultValue": field.default,
        "Description": field.extra.get("Description", ""),
        "Direction": "none",
        "EnforceUniqueValues": field.unique,
        "EntityPropertyName": property_name(field.internal),
        "Filterable": field.type not in ("Note", "URL"),
        "FromBaseType": field.builtin,
        "Group": field.extra.get("Group", "Custom Columns"),
        "Hidden": field.hidden,
        "Id": field.id,
        "Indexed": field.indexed,
        "IndexStatus": 1 if field.indexed else 0,
        "InternalName": field.internal,
        "IsModern": False,
        "JSLink": field.extra.get("JSLink", "clienttemplates.js"),
        "PinnedToFiltersPane": False,
        "ReadOnlyField": field.read_only,
        "Required": field.required,
        "SchemaXml": schema_xml(one, field),
        "Scope": f"{site_path}/Lists/{one.url_name}",
        "Sealed": False,
        "ShowInFiltersPane": 0,
        "Sortable": field.type not in ("Note", "URL", "MultiChoice"),
        "StaticName": field.internal,
        "Title": field.title,
        "FieldTypeKind": KINDS[field.type],
        "TypeAsString": field.type,
        "TypeDisplayName": _DISPLAY.get(field.type, field.type),
        "TypeShortDescription": _DISPLAY.get(field.type, field.type),
        "ValidationFormula": field.validation_formula,
        "ValidationMessage": field.validation_message,
        **_by_type(field),
    }
    path = f"{list_path(one)}/Fields(guid'{field.id}')"
    return Entity(value, _CLASSES.get(field.type, "SP.Field"), path)


_DISPLAY = {
    "Text": "Single line of text",
    "Note": "Multiple lines of text",
    "DateTime": "Date and Time",
    "Boolean": "Yes/No",
    "User": "Person or Group",
    "URL": "Hyperlink or Picture",
    "MultiChoice": "Choice",
    "LookupMulti": "Lookup",
    "UserMulti": "Person or Group",
}


def _by_type(field: SPField) -> dict[str, Any]:
    """The properties only some types have."""
    match field.type:
        case "Text":
            return {"MaxLength": field.max_length or 255}
        case "Note":
            return {"AppendOnly": False, "NumberOfLines": 6, "RichText": field.rich_text}
        case "DateTime":
            return {"DateTimeCalendarType": 0, "DisplayFormat": 0 if field.date_only else 1}
        case "Choice" | "MultiChoice":
            return {"FillInChoice": False, "Choices": list(field.choices), "EditFormat": 0}
        case "Lookup" | "LookupMulti":
            target = "{" + field.lookup_list + "}" if field.lookup_list else ""
            multiple = field.is_multiple
            return {
                "AllowMultipleValues": multiple,
                "LookupField": field.lookup_field,
                "LookupList": target,
            }
        case "User" | "UserMulti":
            return {"AllowMultipleValues": field.is_multiple, "SelectionMode": 0}
        case "Number" | "Currency":
            places = -1 if field.decimals is None else field.decimals
            currency = {"CurrencyLocaleId": field.lcid or 1033} if field.type == "Currency" else {}
            return {"DisplayFormat": places, "ShowAsPercentage": False, **currency}
        case "Calculated":
            return {"Formula": field.formula, "OutputType": 2}
        case _:
            return {}


def schema_xml(one: SPList, field: SPField) -> str:
    """The column's definition as XML, from its present settings."""
    attributes: dict[str, Any] = {
        "Type": field.type,
        "Name": field.internal,
        "DisplayName": field.title,
        "ID": f"{{{field.id}}}",
        "Required": field.required,
        "Indexed": field.indexed or None,
        "EnforceUniqueValues": field.unique or None,
        "MaxLength": field.max_length,
        "Format": "DateOnly" if field.date_only else None,
        "Decimals": field.decimals,
        "LCID": field.lcid,
        "List": f"{{{field.lookup_list}}}" if field.lookup_list else None,
        "ShowField": field.lookup_field,
        "Hidden": field.hidden or None,
        "ReadOnly": field.read_only or None,
        "SourceID": f"{{{one.id}}}",
        "StaticName": field.internal,
    }
    shown = " ".join(f"{key}={quoteattr(_xml_text(part))}" for key, part in attributes.items() if part is not None)
    inner = "".join(f"<CHOICE>{escape(choice)}</CHOICE>" for choice in field.choices)
    children = f"<CHOICES>{inner}</CHOICES>" if inner else ""
    children += f"<Default>{escape(field.default)}</Default>" if field.default is not None else ""
    children += f"<Formula>{escape(field.formula)}</Formula>" if field.formula else ""
    return f"<Field {shown}>{children}</Field>" if children else f"<Field {shown} />"


def _xml_text(value: Any) -> str:
    return str(value).upper() if isinstance(value, bool) else str(value)
