"""Tells people by a webhook: plain JSON, or a card as Teams' workflows take it.

The address holds a key, so it is never logged and never followed anywhere else. An alert that can't be sent is logged
and raises nothing: telling people must not break the work it tells of. Who must know whether it was sent is told.
"""

from __future__ import annotations

import logging
import re
from typing import Any, Literal
from urllib.parse import urlsplit

import requests

from worker.errors import ConfigError, Problem
from worker.ports import Alert
from worker.transport import is_loopback, user_agent

log = logging.getLogger(__name__)
_TIMEOUT = (5.0, 10.0)
_TRIES = 2
_LONGEST = 1500  # signs of a text; a card that is too large is refused as a whole
_MARKDOWN = re.compile(r"([\\`*_{}\[\]()#+!|<>~-])")

Format = Literal["plain", "teams"]


class NoAlerts:
    """Implements ports.Alerts: nobody is told."""

    def send(self, alert: Alert) -> bool:
        """Nothing to do, so nothing failed."""
        log.debug("nobody is to be told connection=%s severity=%s", alert.connection, alert.severity)
        return True


class WebhookAlerts:
    """Implements ports.Alerts. Raises ConfigError for an address that is not https (loopback aside)."""

    def __init__(self, url: str, fmt: Format = "plain") -> None:
        parts = urlsplit(url)
        if not parts.hostname or (parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(url))):
            raise ConfigError([Problem("ENGINE_ALERT_URL", "must start with https://.")])
        self._url = url
        self._format: Format = fmt
        self._session = requests.Session()
        self._session.trust_env = not is_loopback(url)
        self._session.headers["User-Agent"] = user_agent()

    def __repr__(self) -> str:
        return f"WebhookAlerts({urlsplit(self._url).hostname!r}, {self._format!r})"

    def send(self, alert: Alert) -> bool:
        """One POST, tried twice. Never raises; False when it was not taken."""
        body = teams_card(alert) if self._format == "teams" else plain_alert(alert)
        fault = ""
        for _ in range(_TRIES):
            try:
                answer = self._session.post(self._url, json=body, timeout=_TIMEOUT, allow_redirects=False)
            except requests.RequestException as error:
                fault = type(error).__name__
                continue
            if answer.status_code < 300:
                return True
            fault = f"status {answer.status_code}"
            if answer.status_code < 500 and answer.status_code != 429:
                break
        # Without the title: it may name a person.
        log.warning("alert not sent reason=%s connection=%s severity=%s", fault, alert.connection, alert.severity)
        return False


def plain_alert(alert: Alert) -> dict[str, Any]:
    """Small JSON for any receiver. `text` is a whole mail where the alert is meant for one."""
    return {
        "title": alert.title,
        "text": alert.mail or alert.text[:_LONGEST],
        "severity": alert.severity,
        "connection": alert.connection,
        "facts": dict(alert.facts),
        "link": alert.link,
    }


def teams_card(alert: Alert) -> dict[str, Any]:
    """A message with one Adaptive Card, as a Teams workflow's webhook takes it."""
    colour = {"error": "attention", "warning": "warning"}.get(alert.severity, "default")
    body: list[dict[str, Any]] = [
        {"type": "TextBlock", "text": _escaped(alert.title), "weight": "bolder", "size": "medium", "color": colour},
        {"type": "TextBlock", "text": _escaped(alert.text[:_LONGEST]), "wrap": True},
    ]
    if alert.facts:
        facts = [{"title": _escaped(name), "value": _escaped(value)} for name, value in alert.facts.items()]
        body.append({"type": "FactSet", "facts": facts})
    card: dict[str, Any] = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": body,
    }
    if alert.link:
        title = "Åbn kørslen" if alert.language == "da" else "Open the run"
        card["actions"] = [{"type": "Action.OpenUrl", "title": title, "url": alert.link}]
    attachment = {"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": None, "content": card}
    return {"type": "message", "attachments": [attachment]}


def _escaped(text: str) -> str:
    """Cards read markdown; names from the books must not turn into links."""
    return _MARKDOWN.sub(r"\\\1", text)
