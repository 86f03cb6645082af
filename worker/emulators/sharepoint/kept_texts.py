"""Formatting JSON and view queries as they are kept: texts that come back as they were sent (reference, sections 10 and
14), or in SharePoint's own spelling of the same value (a switch)."""

from __future__ import annotations

import json

from worker.emulators.sharepoint.calls import Call


def formatting(call: Call, text: str | None) -> str | None:
    """Formatting JSON to keep; an empty text clears, and what that reads back as is a switch."""
    if not text:
        return None if call.switch("cleared_formatting") == "null" else text
    if call.switch("text_spelling") == "as-sent":
        return text
    try:
        return json.dumps(json.loads(text), sort_keys=True, indent=1)
    except ValueError:
        return text


def query(call: Call, text: str) -> str:
    """A view's CAML to keep."""
    return text if call.switch("text_spelling") == "as-sent" else text.replace("/>", " />").replace("><", "> <")
