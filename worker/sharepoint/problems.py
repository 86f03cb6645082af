"""SharePoint's error answers, by code and never by text: messages follow the language of the site."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass

from worker.errors import (
    AccessDeniedError,
    ConfigError,
    FatalError,
    NotFoundError,
    Problem,
    UnavailableError,
    WorkerError,
)

DUPLICATE = -2130575169
ITEM_GONE = -2130575338
THRESHOLD = -2147024860
SAVE_CONFLICT = -2130575305
DUPLICATE_LIST = -2130575342
# Validation: nothing was saved, and sending it again gives the same answer although the status is 500.
VALIDATION = frozenset({-2130575162, -2130575163, -2130575155, -2146232832})
_GRANT = (
    "Grant the Entra app the role Write (Manage for provisioning) on this one site: the consent to Sites.Selected "
    "alone opens none."
)


@dataclass(frozen=True, slots=True)
class ServiceProblem:
    """What an error body says: the numeric code (0 when unreadable) and the service's own words."""

    code: int
    kind: str
    words: str


def read_problem(text: str) -> ServiceProblem:
    """Reads `error` or `odata.error`; anything else is code 0 without words."""
    try:
        body = json.loads(text)
        error = body.get("error") or body.get("odata.error") or {}
        code, _, kind = str(error.get("code", "")).partition(",")
        message = error.get("message")
        words = message.get("value", "") if isinstance(message, dict) else str(message or "")
    except (ValueError, AttributeError):
        return ServiceProblem(0, "", "")
    found = re.match(r"-?\d+", code.strip())
    return ServiceProblem(int(found[0]) if found else 0, kind.strip(), " ".join(words.split())[:300])


def service_error(status: int, headers: Mapping[str, str], text: str, path: str) -> WorkerError:
    """The error of a whole answer with `status` >= 400 (401, 429 and 503 are the transport's)."""
    problem = read_problem(text)
    request = headers.get("SPRequestGuid") or headers.get("request-id") or ""
    tail = f" (status {status}{f', request {request}' if request else ''})"
    if problem.code == THRESHOLD:
        return ConfigError(
            [Problem(f"list behind {path}", f"is over SharePoint's list view threshold for this look-up{tail}.")],
            hint="Index the key column (economic-sync provision says which); above 20,000 items SharePoint refuses to.",
        )
    if status == 403:
        return AccessDeniedError(f"SharePoint denies access to the site{tail}.", hint=_GRANT)
    if status == 404:
        return NotFoundError(
            f"SharePoint does not know {path}{tail}.", hint="Check the site's address and the list's name."
        )
    if status in (409, 412):
        return FatalError(
            f"SharePoint reports a conflict on {path}{tail}. {problem.words}".strip(), hint="Run it again."
        )
    validation = problem.code in VALIDATION or problem.code in (DUPLICATE, DUPLICATE_LIST)
    if status >= 500 and not validation:
        return UnavailableError(f"SharePoint reported a fault of its own{tail}.", hint="Try again later.")
    return FatalError(f"SharePoint refused {path}{tail}. {problem.words}".strip())
