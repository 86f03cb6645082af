"""Reading recorded collection pages, exactly as the API returns them, from a directory of JSON files.

Recorded files overlap: filtered pages, single documents beside the list they came from. So documents are told apart
by their key, the first one found wins, and a single document counts as a collection of one.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from worker.emulators.economic.documents import plain
from worker.emulators.economic.wire import get, loads

Document = dict[str, Any]
_LONG_AGO = "1970-01-01T00:00:00Z"  # contacts carry no time of change on the classic wire


@dataclass(frozen=True)
class Recordings:
    """Plain documents found in the files, each once, ordered by key."""

    agreement: Document
    references: Mapping[str, list[Document]]
    years: list[Document]
    customers: list[Document]
    contacts: list[Document]
    booked: list[Document]
    drafts: list[Document]


def read_recordings(directory: Path) -> Recordings:
    """Everything recorded in `directory`; whatever is missing is empty. FileNotFoundError without the directory."""
    if not directory.is_dir():
        raise FileNotFoundError(f"there is no directory {directory}")
    contacts = _documents(directory, "*contacts*.json")
    return Recordings(
        agreement=next(iter(_read(directory / "self.json")), {}),
        references={
            "customer-groups": _unique(_documents(directory, "customer_groups*.json"), "customerGroupNumber"),
            "payment-terms": _unique(_documents(directory, "payment_terms*.json"), "paymentTermsNumber"),
            "vat-zones": _unique(_documents(directory, "vat_zones*.json"), "vatZoneNumber"),
            "layouts": _unique(_documents(directory, "layouts*.json"), "layoutNumber"),
            "employees": _unique(_documents(directory, "employees*.json"), "employeeNumber"),
            "currencies": _unique(_documents(directory, "currencies*.json"), "code"),
        },
        years=_unique(_documents(directory, "accounting_years*.json"), "year"),
        customers=_unique(_documents(directory, "customers*.json"), "customerNumber"),
        contacts=_contacts(contacts),
        booked=_unique(_documents(directory, "invoices*.json"), "bookedInvoiceNumber", _has_customer),
        drafts=_unique(_documents(directory, "invoices*.json"), "draftInvoiceNumber", _has_customer),
    )


def _documents(directory: Path, pattern: str) -> list[Document]:
    return [document for path in sorted(directory.glob(pattern)) for document in _read(path)]


def _read(path: Path) -> list[Document]:
    if not path.is_file():
        return []
    body = loads(path.read_bytes())
    members = body.get("collection", [body])
    return [plain(each) for each in members]


def _has_customer(document: Document) -> bool:
    return get(document, "customer.customerNumber") is not None and "date" in document and "currency" in document


def _always(_: Document) -> bool:
    return True


def _unique(documents: Iterable[Document], key: str, usable: Callable[[Document], bool] = _always) -> list[Document]:
    found: dict[Any, Document] = {}
    for document in documents:
        if key in document and usable(document):
            found.setdefault(document[key], document)
    return [found[each] for each in sorted(found)]


def _contacts(documents: list[Document]) -> list[Document]:
    found = _unique(documents, "customerContactNumber", lambda each: "name" in each and "customer" in each)
    return [{"lastUpdated": _LONG_AGO, **each} for each in found]
