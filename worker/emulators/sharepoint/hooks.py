"""Webhooks: subscriptions, the validation call and the notices (reference, section 11)."""

from __future__ import annotations

import http.client
import logging
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode, urlsplit

from worker.emulators.sharepoint import errors
from worker.emulators.sharepoint.calls import Call, Site, shaped_collection
from worker.emulators.sharepoint.formats import Entity, Result, dump
from worker.emulators.sharepoint.models import SPList, Subscription, new_guid
from worker.emulators.sharepoint.projection import list_path

MAX_DAYS = 180
ANSWER_SECONDS = 5.0
log = logging.getLogger(__name__)


def _entity(one: SPList, hook: Subscription) -> Entity:
    value = {
        "clientState": hook.client_state,
        "expirationDateTime": hook.expiration,
        "id": hook.id,
        "notificationUrl": hook.notification_url,
        "resource": one.id,
        "resourceData": "",
    }
    path = f"{list_path(one)}/subscriptions('{hook.id}')"
    return Entity(value, "Microsoft.SharePoint.Webhooks.Subscription", path)


def read_subscriptions(call: Call) -> Result:
    one = call.one_list()
    return shaped_collection(call, [_entity(one, hook) for hook in one.subscriptions])


def _subscription(call: Call) -> tuple[SPList, Subscription]:
    one, key = call.one_list(), str(call.address.keys["subscription"]).lower()
    for hook in one.subscriptions:
        if hook.id == key:
            return one, hook
    raise errors.ODataError(404, "-1, System.ArgumentException", "The subscription does not exist.")


def read_subscription(call: Call) -> Result:
    return Result(_entity(*_subscription(call)))


def _expiration(call: Call, text: Any) -> str:
    """The expiration as sent; ODataError 400 beyond 180 days or in the past."""
    try:
        moment = _moment(str(text))
    except ValueError:
        raise errors.bad_argument("expirationDateTime is not a date and time.") from None
    now = call.site.options.now()
    if not now < moment <= now + timedelta(days=MAX_DAYS):
        raise errors.bad_argument("expirationDateTime must lie within the next 180 days.")
    return str(text)


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def subscribe(call: Call) -> Result:
    """Keep a subscription whose address answered the validation call (made before, see `validation_address`)."""
    one, body = call.one_list(), call.parameters()
    hook = Subscription(
        resource=str(body.get("resource") or one.id),
        notification_url=str(body.get("notificationUrl") or ""),
        expiration=_expiration(call, body.get("expirationDateTime")),
        client_state=body.get("clientState"),
    )
    one.subscriptions.append(hook)
    call.store.save_list(one)
    return Result(_entity(one, hook), 201)


def renew(call: Call) -> Result:
    one, hook = _subscription(call)
    body = call.parameters()
    if "expirationDateTime" in body:
        hook.expiration = _expiration(call, body["expirationDateTime"])
    hook.client_state = body.get("clientState", hook.client_state)
    call.store.save_list(one)
    return Result(status=204)


def unsubscribe(call: Call) -> Result:
    one, hook = _subscription(call)
    one.subscriptions.remove(hook)
    call.store.save_list(one)
    return Result(status=204)


def validation_address(call: Call) -> str | None:
    """The address to validate before this call runs: that of a new subscription."""
    if call.method != "POST" or call.address.route not in ("list/subscriptions", "list/subscriptions/add"):
        return None
    return str(call.parameters().get("notificationUrl") or "")


def validate(url: str) -> bool:
    """POST `?validationtoken=...`; within 5 s the answer must be 200 with the token as its body."""
    token = new_guid()
    joined = f"{url}{'&' if '?' in url else '?'}{urlencode({'validationtoken': token})}"
    answer = _post(joined, b"", "text/plain")
    return answer is not None and answer[0] == 200 and answer[1].decode(errors="replace").strip() == token


def validation_failed(url: str) -> errors.ODataError:
    return errors.ODataError(
        400, "-1, System.InvalidOperationException", f"Failed to validate the notification URL '{url}'."
    )


def _post(url: str, body: bytes, content_type: str) -> tuple[int, bytes] | None:
    """Status and body, None when the address cannot be reached in time."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        return None
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.hostname, parts.port, timeout=ANSWER_SECONDS)
    path = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
    try:
        connection.request("POST", path, body, {"Content-Type": content_type})
        answer = connection.getresponse()
        return answer.status, answer.read()
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()


class Notifier:
    """Sends notices one after another in the background: changed lists, never item ids."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="sharepoint notices")

    def notify(self, touched: set[int], site_url: str) -> None:
        """Queue one notice per live subscription of the lists that changed."""
        now = self._site.options.now()
        for number in touched:
            one = self._site.store.list_by_number(number)
            for hook in one.subscriptions if one is not None else ():
                if one is not None and _moment(hook.expiration) > now:
                    self._pool.submit(_send, hook.notification_url, self._notice(one, hook, site_url))

    def _notice(self, one: SPList, hook: Subscription, site_url: str) -> bytes:
        value = {
            "subscriptionId": hook.id,
            "clientState": hook.client_state,
            "expirationDateTime": hook.expiration,
            "resource": one.id,
            "tenantId": self._site.store.identity("tenant"),
            "siteUrl": urlsplit(site_url).path,
            "webId": self._site.store.identity("web"),
        }
        return dump({"value": [value]})

    def drain(self) -> None:
        """Wait until what is queued was sent."""
        self._pool.submit(int).result()


def _send(url: str, notice: bytes) -> None:
    if _post(url, notice, "application/json") is None:
        log.warning("notice not taken url=%s", url)
