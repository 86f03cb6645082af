"""SharePoint's own webhooks on a list: made once, renewed long before they end (180 days at most).

A notice says that something in the list changed, and not what; it only shortens the wait for the next look.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from worker.errors import ProtocolError, RefusedError
from worker.sharepoint.client import SharePointClient
from worker.sharepoint.site_lists import ListInfo

_LASTS = timedelta(days=120)
_RENEW = timedelta(days=60)


def ensure_subscription(
    client: SharePointClient, info: ListInfo, address: str, client_state: str, now: datetime
) -> datetime:
    """One subscription of the list that calls `address`; until when it lasts. One request when it is there.

    Making one lets SharePoint call the address at once, which must echo a token within five seconds; RefusedError
    when it can't.
    """
    path = f"{info.path}/subscriptions"
    rows = client.get_json(path).get("value") or []
    mine = next((row for row in rows if row.get("notificationUrl") == address), None)
    until = now + _LASTS
    expires = f"{until.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
    if mine is None:
        body: dict[str, Any] = {
            "resource": client.url(info.path),
            "notificationUrl": address,
            "expirationDateTime": expires,
            "clientState": client_state,
        }
        _make(client, path, body)
        return until
    lasting = _moment(mine.get("expirationDateTime"))
    if lasting - now >= _RENEW and mine.get("clientState") in (client_state, None):
        return lasting
    client.patch(f"{path}('{mine['id']}')", {"expirationDateTime": expires, "clientState": client_state})
    return until


def _make(client: SharePointClient, path: str, body: dict[str, Any]) -> None:
    try:
        client.post(path, body)
    except (ProtocolError, RefusedError):
        # SharePoint's own words hold the whole address, which is a secret.
        host = urlsplit(body["notificationUrl"]).netloc
        raise RefusedError(
            f"SharePoint refused a webhook that calls the worker at {host}.",
            hint="Open that address to the internet; requests are looked for each minute without it too.",
        ) from None


def is_due(until: datetime | None, now: datetime) -> bool:
    """Whether it is time to make or renew one."""
    return until is None or until - now < _RENEW


def _moment(text: object) -> datetime:
    try:
        moment = datetime.fromisoformat(str(text))
    except ValueError:
        raise ProtocolError("SharePoint sent a subscription without an end.") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
