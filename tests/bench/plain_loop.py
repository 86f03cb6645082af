"""What a user would write with the client library: one item, one execute_query. For comparison only."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from office365.sharepoint.client_context import ClientContext

SAMPLE = 100


def plain_loop(site_url: str, token: str, title: str, rows: Sequence[dict[str, Any]]) -> float:
    """Adds `rows` to the list one by one; returns seconds."""
    context = ClientContext(site_url).with_access_token(
        lambda: {"access_token": token, "token_type": "Bearer", "expires_in": 3600}
    )
    target = context.web.lists.get_by_title(title)
    started = time.perf_counter()
    for row in rows:
        target.add_item(row)
        context.execute_query()
    return time.perf_counter() - started
