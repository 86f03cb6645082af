"""What the classic API accepts on writing: types, lengths, references, required properties.

Source: the vendor's customer schemas and live checks of their errors. Read-only and unknown properties are ignored,
null is refused, 0 is refused for identifiers.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from worker.emulators.economic.context import Context
from worker.emulators.economic.errors import ClassicError, invalid, problem
from worker.emulators.economic.wire import decode_key

Problems = dict[str, list[dict[str, Any]]]
MAX_NUMBER = 999_999_999
CUSTOMER_TEXTS = {
    "name": 255,
    "address": 510,
    "city": 50,
    "zip": 30,
    "country": 50,
    "email": 255,
    "telephoneAndFaxNumber": 255,
    "mobilePhone": 50,
    "website": 255,
    "corporateIdentificationNumber": 40,
    "pNumber": 10,
    "ean": 13,
    "publicEntryNumber": 50,
    "vatNumber": 20,
    "currency": 3,
}
_EXACT = {"pNumber": 10, "currency": 3}
CONTACT_TEXTS = {"name": 255, "email": 255, "phone": 50, "eInvoiceId": 50, "notes": 2000}
_REQUIRED = ("name", "currency", "customerGroup", "paymentTerms", "vatZone")
_JSON_NAMES: dict[type, str] = {str: "String", bool: "Boolean", int: "Integer", Decimal: "Number", dict: "Object"}


@dataclass(frozen=True)
class Reference:
    """A reference property: the key inside, the collection it points to, and a look-up."""

    key: str
    kind: str
    exists: Callable[[Context, Any, int | None], bool]


def _in_collection(kind: str) -> Callable[[Context, Any, int | None], bool]:
    def exists(ctx: Context, key: Any, _: int | None) -> bool:
        sql = "SELECT 1 FROM refs WHERE kind = ? AND key = ?"
        return ctx.store.first(sql, (kind, str(key))) is not None

    return exists


def _contact_exists(ctx: Context, key: Any, customer: int | None) -> bool:
    sql = "SELECT 1 FROM contacts WHERE number = ? AND customer = ? AND NOT deleted"
    return ctx.store.first(sql, (key, customer)) is not None


def _location_exists(ctx: Context, key: Any, customer: int | None) -> bool:
    sql = "SELECT 1 FROM delivery_locations WHERE number = ? AND customer = ?"
    return ctx.store.first(sql, (key, customer)) is not None


_ALWAYS = {
    name: Reference(key, kind, _in_collection(kind))
    for name, key, kind in (
        ("customerGroup", "customerGroupNumber", "customer-groups"),
        ("paymentTerms", "paymentTermsNumber", "payment-terms"),
        ("vatZone", "vatZoneNumber", "vat-zones"),
        ("layout", "layoutNumber", "layouts"),
        ("salesPerson", "employeeNumber", "employees"),
    )
}
# Contacts and delivery locations cannot exist before their customer, so only a replace takes these.
_ON_REPLACE = {
    "attention": Reference("customerContactNumber", "contacts", _contact_exists),
    "customerContact": Reference("customerContactNumber", "contacts", _contact_exists),
    "defaultDeliveryLocation": Reference("deliveryLocationNumber", "delivery-locations", _location_exists),
}


def checked_customer(ctx: Context, body: Any, *, for_customer: int | None = None) -> dict[str, Any]:
    """The writable part of a customer body, references reduced to their numbers.

    `for_customer` is the number in the path of a replace. Raises ClassicError 400 with every problem at once.
    """
    document = _object(ctx, body)
    references = {**_ALWAYS, **(_ON_REPLACE if for_customer is not None else {})}
    _check_types(ctx, document, references)
    problems: Problems = {}
    for name in _REQUIRED:
        if document.get(name) in (None, ""):
            _add(problems, name, f"{name} is required.", "E04042")
    result = _texts(document, CUSTOMER_TEXTS, problems)
    _check_currency(ctx, result, problems)
    for name, reference in references.items():
        if name in document:
            key = _reference_key(document[name], reference)
            _check_reference(ctx, name, reference, (key, for_customer), problems)
            result[name] = {reference.key: key}
    result.update(_others(document, problems))
    if problems:
        raise invalid(problems)
    return result


def checked_texts(ctx: Context, body: Any, limits: Mapping[str, int], required: tuple[str, ...]) -> dict[str, Any]:
    """The texts of a body within their limits; every problem at once."""
    document = _object(ctx, body)
    _refuse_null(ctx, document)
    problems: Problems = {}
    for name in required:
        if document.get(name) in (None, ""):
            _add(problems, name, f"{name} is required.", "E04042")
    result = _texts(document, limits, problems)
    if problems:
        raise invalid(problems)
    return result


def schema_error(ctx: Context, prop: str, message: str) -> ClassicError:
    """A value of the wrong type; where its text stands in the body is a switch."""
    if ctx.switches.get("schema_error_body") == "validation":
        return invalid({prop: [problem(prop, message, "E04300")]})
    return ClassicError(400, "The request body does not match the schema.", errors=[f"{message} ({prop})"])


def _object(ctx: Context, body: Any) -> dict[str, Any]:
    if not isinstance(body, dict):
        raise schema_error(ctx, "body", f"Expected Object but got {_json_name(body)}")
    return body


def _refuse_null(ctx: Context, document: Mapping[str, Any]) -> None:
    for name, value in document.items():
        if value is None:
            raise schema_error(ctx, name, "Expected String but got Null")


def _check_types(ctx: Context, document: Mapping[str, Any], references: Mapping[str, Reference]) -> None:
    _refuse_null(ctx, document)
    wanted: dict[str, tuple[type, ...]] = {
        **dict.fromkeys(CUSTOMER_TEXTS, (str,)),
        **dict.fromkeys(references, (dict,)),
        "customerNumber": (int,),
        "barred": (bool,),
        "eInvoicingDisabledByDefault": (bool,),
        "creditLimit": (int, Decimal),
    }
    for name, types in wanted.items():
        value = document.get(name)
        if value is not None and (type(value) not in types):
            raise schema_error(ctx, name, f"Expected {_JSON_NAMES[types[0]]} but got {_json_name(value)}")
    if document.get("customerNumber", 1) < 1:
        number = document["customerNumber"]
        raise schema_error(ctx, "customerNumber", f"Integer {number} is less than minimum value of 1")


def _json_name(value: Any) -> str:
    return "Null" if value is None else _JSON_NAMES.get(type(value), "Array")


def _texts(document: Mapping[str, Any], limits: Mapping[str, int], problems: Problems) -> dict[str, Any]:
    result = {name: document[name] for name in limits if name in document}
    for name, value in result.items():
        exact = _EXACT.get(name)
        if exact is not None and value and len(value) != exact:
            _add(problems, name, f"{name} must have exactly {exact} characters.", "E04300", value)
        elif len(value) > limits[name]:
            _add(problems, name, f"{name} may have at most {limits[name]} characters.", "E04300", value)
    return result


def _check_currency(ctx: Context, result: Mapping[str, Any], problems: Problems) -> None:
    code = result.get("currency", "")
    if len(code) == 3 and not _in_collection("currencies")(ctx, code.upper(), None):
        _add(problems, "currency", "The currency does not exist.", "E06000", code)


def _reference_key(value: Mapping[str, Any], reference: Reference) -> Any:
    """The number in a reference object, or the one at the end of its `self` link."""
    if reference.key in value:
        return value[reference.key]
    tail = decode_key(str(value.get("self", "")).rstrip("/").rpartition("/")[2])
    return int(tail) if tail.isdecimal() else None


def _check_reference(
    ctx: Context, name: str, reference: Reference, key: tuple[Any, int | None], problems: Problems
) -> None:
    number, customer = key
    if number is None:
        _add(problems, name, f"{name} has no identifier.", "E04500")
    elif not isinstance(number, int) or number < 1:
        _add(problems, name, f"Integer {number} is less than minimum value of 1", "E04300", number)
    elif not reference.exists(ctx, number, customer):
        code = "E04800" if reference.kind == "contacts" else "E06000"
        _add(problems, name, f"{name} {number} does not exist.", code, number)


def _others(document: Mapping[str, Any], problems: Problems) -> dict[str, Any]:
    result = {name: document[name] for name in ("customerNumber", "creditLimit") if name in document}
    for name in ("barred", "eInvoicingDisabledByDefault"):
        if document.get(name) is True:
            result[name] = True
    if result.get("customerNumber", 1) > MAX_NUMBER:
        _add(problems, "customerNumber", f"The number may be at most {MAX_NUMBER}.", "E04300")
    exponent = Decimal(result.get("creditLimit", 0)).as_tuple().exponent
    if isinstance(exponent, int) and exponent < -2:
        _add(problems, "creditLimit", "creditLimit may have at most 2 decimals.", "E04740")
    return result


def _add(problems: Problems, name: str, message: str, code: str, value: Any = None) -> None:
    problems.setdefault(name, []).append(problem(name, message, code, value))
