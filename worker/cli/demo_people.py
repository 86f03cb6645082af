"""What people do in the demo's CRM: plain REST calls, without the worker."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import requests

_PLAIN = "application/json;odata=nometadata"
_SECONDS = 60


class Person:
    """Somebody who works in the CRM of `site`."""

    def __init__(self, site: str, token: str) -> None:
        self._site = site
        self._headers = {
            "User-Agent": "Person/1.0",
            "X-Emulator-User": "9",
            "Authorization": f"Bearer {token}",
            "Accept": _PLAIN,
            "Content-Type": _PLAIN,
        }

    def adds(self, title: str, values: Mapping[str, Any]) -> None:
        """A new item in the list of that title."""
        answer = requests.post(self._items(title), json=dict(values), headers=self._headers, timeout=_SECONDS)
        answer.raise_for_status()

    def changes(self, title: str, item_id: int, column: str, value: Any) -> None:
        """One column of an item, as a form saves it."""
        headers = {**self._headers, "X-HTTP-Method": "MERGE", "IF-MATCH": "*"}
        url = f"{self._items(title)}({item_id})"
        requests.post(url, json={column: value}, headers=headers, timeout=_SECONDS).raise_for_status()

    def finds(self, title: str, column: str, key: str) -> dict[str, Any]:
        """The first item whose column has this text."""
        text = key.replace("'", "''")
        query = {"$filter": f"{column} eq '{text}'"}
        answer = requests.get(self._items(title), params=query, headers=self._headers, timeout=_SECONDS)
        answer.raise_for_status()
        found: dict[str, Any] = answer.json()["value"][0]
        return found

    def _items(self, title: str) -> str:
        return f"{self._site}/_api/web/lists/getbytitle('{title}')/items"
