"""The source field catalogue: what a profile can read, by the product's own names.

Canonical names are those of the old Debtor interface, which the product's field lists show; the REST names and other
known spellings are aliases. Computed fields stand beside plain ones. A field reads its row (`domain.rows`) and nothing
else.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping

from worker.domain.field_tables import CONTACT_FIELDS, CUSTOMER_FIELDS, INVOICE_FIELDS, SALES_FIELDS
from worker.domain.field_types import FieldType, Need, SourceField
from worker.domain.profile import SourceKind

__all__ = [
    "CATALOGUE",
    "SOURCE_ALIASES",
    "FieldType",
    "Need",
    "SourceField",
    "default_key",
    "resolve_field",
    "suggest_fields",
]

CATALOGUE: Mapping[SourceKind, Mapping[str, SourceField]] = {
    SourceKind.CUSTOMER: {field.name: field for field in CUSTOMER_FIELDS},
    SourceKind.CONTACT: {field.name: field for field in CONTACT_FIELDS},
    SourceKind.INVOICE: {field.name: field for field in INVOICE_FIELDS},
    SourceKind.SALES: {field.name: field for field in SALES_FIELDS},
}

SOURCE_ALIASES: Mapping[str, SourceKind] = {
    "debtor": SourceKind.CUSTOMER,
    "debitor": SourceKind.CUSTOMER,
    "customer": SourceKind.CUSTOMER,
    "customers": SourceKind.CUSTOMER,
    "customer contact": SourceKind.CONTACT,
    "debtor contact": SourceKind.CONTACT,
    "debtorcontact": SourceKind.CONTACT,
    "contact": SourceKind.CONTACT,
    "booked invoice": SourceKind.INVOICE,
    "invoice": SourceKind.INVOICE,
    "invoices": SourceKind.INVOICE,
    "sales": SourceKind.SALES,
    "sales statistics": SourceKind.SALES,
}

_KEYS = {
    SourceKind.CUSTOMER: "Number",
    SourceKind.CONTACT: "ImportID",
    SourceKind.INVOICE: "InvoiceNumber",
    SourceKind.SALES: "StatKey",
}


def default_key(source: SourceKind) -> str:
    """The field that joins a source to its list when the profile names none."""
    return _KEYS[source]


def resolve_field(source: SourceKind, name: str) -> SourceField | None:
    """The field of that name or alias; case, blanks, dots and dashes do not matter. None when there is none."""
    return _BY_NAME[source].get(_plain(name))


def suggest_fields(source: SourceKind, name: str) -> list[str]:
    """Up to three canonical names close to `name`."""
    close = difflib.get_close_matches(_plain(name), _BY_NAME[source], n=6, cutoff=0.6)
    return list(dict.fromkeys(_BY_NAME[source][match].name for match in close))[:3]


def _plain(name: str) -> str:
    return re.sub(r"[\s._\-]+", "", name).casefold()


def _index(fields: Iterable[SourceField]) -> dict[str, SourceField]:
    index: dict[str, SourceField] = {}
    for field in fields:
        for name in (field.name, *field.aliases, field.rest_path):
            if name:
                index.setdefault(_plain(name), field)
    return index


_BY_NAME = {source: _index(fields.values()) for source, fields in CATALOGUE.items()}
