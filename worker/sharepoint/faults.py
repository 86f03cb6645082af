"""SharePoint's error answers: which code means what. Tested by code, never by text, which follows the user's language.

Duplicate keys, failed validation and the list view threshold come as HTTP 500, so the code is looked at before the
status is.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from worker.errors import AccessDeniedError, FatalError, NotFoundError, ProtocolError, WorkerError
from worker.transport import status_error

SERVICE = "SharePoint"
DUPLICATE_VALUE = -2130575169
ITEM_GONE = -2130575338
OVER_THRESHOLD = -2147024860
LIST_VALIDATION = -2130575162
COLUMN_VALIDATION = -2130575163
BAD_FIELD_VALUE = -2130575155
# A row that breaks a rule of the list: sending it again would break it again.
ROW_REFUSED = frozenset({LIST_VALIDATION, COLUMN_VALIDATION, BAD_FIELD_VALUE})
GRANT_HINT = (
    "Give the app the SharePoint permission Sites.Selected and let an administrator grant it the role 'write' on this "
    "site (README, going live)."
)
_SHOWN = 300


@dataclass(frozen=True, slots=True)
class Fault:
    """The code and the words of an error body; code 0 when it has none."""

    code: int = 0
    text: str = ""


def read_fault(body: bytes) -> Fault:
    """The fault in an error body of any of the OData formats; an empty one for anything else."""
    try:
        answer = json.loads(body)
    except ValueError:
        return Fault()
    if not isinstance(answer, dict):
        return Fault()
    error = answer.get("odata.error") or answer.get("error")
    if not isinstance(error, dict):
        return Fault()
    number = re.match(r"-?\d+", str(error.get("code") or ""))
    return Fault(int(number.group()) if number else 0, _words(error.get("message")))


def _words(message: Any) -> str:
    text = message.get("value") if isinstance(message, dict) else message
    return " ".join(str(text or "").split())[:_SHOWN]


def answer_error(status: int, headers: Mapping[str, str], body: bytes, what: str) -> WorkerError:
    """The error an answer stands for. `what` names the request in words; it must hold no secret."""
    fault = read_fault(body)
    said = f"It says: {fault.text}" if fault.text else ""
    if fault.code == OVER_THRESHOLD:
        return FatalError(
            f"SharePoint refused {what}: the list is over the view threshold (5,000 items) for this query.",
            hint="Index the column that is looked up: economic-sync provision names and adds missing indexes.",
        )
    if fault.code in ROW_REFUSED or fault.code == DUPLICATE_VALUE:
        return ProtocolError(f"SharePoint refused {what}. {said}")
    error = status_error(SERVICE, status, headers, said)
    if isinstance(error, AccessDeniedError):
        return AccessDeniedError(f"{error.message} Asked for: {what}.", hint=GRANT_HINT)
    if isinstance(error, NotFoundError):
        return NotFoundError(f"{error.message} Asked for: {what}.", hint="Check SHAREPOINT_SITE_URL and the lists.")
    return error
