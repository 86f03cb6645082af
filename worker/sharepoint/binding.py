"""Binding: logical columns of a profile to the real columns of a list, every problem at once.

No public page names iGlobe's lists and columns, so nothing is taken for granted. A column is found by, in this order:
the configured internal name, the default internal name, the display name, a known alias; the first rule that finds
anything decides, and two finds of one rule are ambiguous.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from xml.etree import ElementTree

from worker.domain.values import Column, ColumnKind
from worker.errors import Problem

ALIASES: Mapping[str, tuple[str, ...]] = {
    "Title": ("Titel",),
    "CompanyName": ("Company name", "Firmanavn", "Virksomhedsnavn"),
    "CustomerID": ("Customer ID", "Customer No", "CustomerNo", "Kundenummer", "Kundenr"),
    "CINumber": ("CI Number", "CVR", "CVR nr", "CVR-nr", "CVR-nummer"),
    "VATNumber": ("VAT Number", "VAT no", "Momsnummer"),
    "ImportID": ("Import ID",),
    "CompanyType": ("Company type", "Virksomhedstype"),
    "Address": ("Adresse", "Street"),
    "Zip": ("Postal code", "Zip code", "Postnr", "Postnummer"),
    "City": ("By", "Town"),
    "Country": ("Land",),
    "Phone": ("Telephone", "Telefon"),
    "Mobile": ("Mobile phone", "Mobil"),
    "EMail": ("E-mail", "Email"),
    "Website": ("Web", "Hjemmeside", "Web site"),
    "CustomerGroup": ("Customer group", "Kundegruppe"),
    "PaymentTerms": ("Payment terms", "Betalingsbetingelser"),
    "CurrencyCode": ("Currency", "Valuta"),
    "CreditLimit": ("Credit limit", "Kreditmaksimum"),
    "Balance": ("Saldo",),
    "OverdueAmount": ("Overdue amount", "Overdue", "Forfalden"),
    "SalesYearToDate": ("Sales year to date", "Sales YTD", "Salg år til dato"),
    "LastInvoiceDate": ("Last invoice date", "Seneste faktura"),
    "Company": ("Virksomhed", "Firma"),
}

_KINDS: Mapping[str, ColumnKind] = {
    "Text": ColumnKind.TEXT,
    "Note": ColumnKind.NOTE,
    "Number": ColumnKind.NUMBER,
    "Currency": ColumnKind.CURRENCY,
    "Choice": ColumnKind.CHOICE,
    "Boolean": ColumnKind.BOOLEAN,
    "Lookup": ColumnKind.LOOKUP,
    "User": ColumnKind.PERSON,
    "URL": ColumnKind.URL,
}


class ListFields:
    """The usable columns of one list, as `GET lists(..)/fields` returns them."""

    def __init__(self, title: str, fields: Sequence[Mapping[str, Any]]) -> None:
        self.title = title
        self.fields = [field for field in fields if field.get("TypeAsString") and not _system(field)]

    def names(self) -> tuple[str, ...]:
        """Display names with internal names, for messages."""
        return tuple(sorted({_name(field) for field in self.fields}))

    def bind(self, name: str, configured: str | None) -> Mapping[str, Any] | str:
        """The one field for a logical name, or a sentence that says why there is none."""
        if configured is not None:
            found = [field for field in self.fields if _is(field, "InternalName", configured)]
            return (
                found[0] if found else f"the configured internal name '{configured}' does not exist in '{self.title}'."
            )
        for key, wanted in (("InternalName", (name,)), ("Title", (name,)), ("Title", ALIASES.get(name, ()))):
            found = [f for f in self.fields if any(_is(f, key, one) for one in wanted)]
            if len(found) > 1:
                names = ", ".join(_name(field) for field in found)
                return f"several columns of '{self.title}' could be meant: {names}. Configure the internal name."
            if found:
                return found[0]
        return f"no column of '{self.title}' is called so, by internal name, display name or alias."


def bind_columns(
    label: str, where: ListFields, names: Iterable[str], configured: Mapping[str, str]
) -> tuple[dict[str, Column], list[Problem]]:
    """The bound columns and everything that is wrong. `label` is the profile, for messages."""
    bound: dict[str, Column] = {}
    problems: list[Problem] = []
    for name in names:
        field = where.bind(name, configured.get(name))
        place = f"profile '{label}', target column {name}"
        if isinstance(field, str):
            problems.append(Problem(place, field, where.names()))
            continue
        kind = _kind(field)
        if kind is None:
            problems.append(
                Problem(place, f"column {_name(field)} has the type {field['TypeAsString']}, which can't be written.")
            )
        elif field.get("ReadOnlyField"):
            problems.append(Problem(place, f"column {_name(field)} is read-only."))
        else:
            bound[name] = _column(name, field, kind)
    return bound, problems


def _kind(field: Mapping[str, Any]) -> ColumnKind | None:
    kind = str(field["TypeAsString"])
    if kind == "DateTime":
        return ColumnKind.DATE if _schema(field).get("Format") == "DateOnly" else ColumnKind.DATETIME
    return _KINDS.get(kind)


def _column(name: str, field: Mapping[str, Any], kind: ColumnKind) -> Column:
    schema = _schema(field)
    return Column(
        name=name,
        internal=str(field.get("EntityPropertyName") or field["InternalName"]),
        display=str(field.get("Title") or field["InternalName"]),
        kind=kind,
        required=bool(field.get("Required")),
        max_length=int(schema.get("MaxLength") or 255) if kind is ColumnKind.TEXT else None,
        decimals=_decimals(schema, kind),
        choices=tuple(choice.text or "" for choice in schema.iter("CHOICE")),
        indexed=bool(field.get("Indexed")),
        unique=bool(field.get("EnforceUniqueValues")),
        lookup_list=schema.get("List"),
    )


def _schema(field: Mapping[str, Any]) -> ElementTree.Element:
    """The column's definition: format, decimals, length, choices, list pointed to."""
    try:
        return ElementTree.fromstring(str(field.get("SchemaXml") or "<Field/>"))  # noqa: S314  # from the tenant itself
    except ElementTree.ParseError:
        return ElementTree.Element("Field")


def _decimals(schema: ElementTree.Element, kind: ColumnKind) -> int | None:
    """Decimal places shown. SharePoint stores more; an automatic number format rounds nothing, money has two."""
    if kind not in (ColumnKind.NUMBER, ColumnKind.CURRENCY):
        return None
    places = schema.get("Decimals")
    if places is None or not places.isdecimal():
        return 2 if kind is ColumnKind.CURRENCY else None
    return int(places)


def _system(field: Mapping[str, Any]) -> bool:
    """Columns that SharePoint keeps for itself; Title is one of the few base columns that are ours to fill."""
    if field.get("InternalName") == "Title":
        return False
    return bool(field.get("Hidden")) or bool(field.get("FromBaseType"))


def _is(field: Mapping[str, Any], key: str, wanted: str) -> bool:
    return str(field.get(key) or "").strip().casefold() == wanted.casefold()


def _name(field: Mapping[str, Any]) -> str:
    title, internal = str(field.get("Title") or ""), str(field["InternalName"])
    return title if title == internal else f"{title} ({internal})"
