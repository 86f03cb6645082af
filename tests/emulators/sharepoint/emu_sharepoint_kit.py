"""A small client for the SharePoint emulator, and columns for its lists."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import requests

from worker.emulators.common.server import EmulatorServer
from worker.emulators.sharepoint.app import SharePointApp, create_app
from worker.emulators.sharepoint.options import SharePointOptions
from worker.emulators.sharepoint.store import SharePointStore

TIMEOUT = 20
TOKEN = "test-token"
NONE = "application/json;odata=nometadata"
VERBOSE = "application/json;odata=verbose"
MINIMAL = "application/json;odata=minimalmetadata"


@dataclass
class Emulator:
    """A served emulator with shortcuts for requests below the site's `_api/`."""

    app: SharePointApp
    url: str
    session: requests.Session = field(default_factory=requests.Session)

    @property
    def site(self) -> str:
        return f"{self.url}/sites/crm"

    def ask(
        self, method: str, path: str, body: Any = None, *, accept: str = NONE, token: str = TOKEN, **headers: str
    ) -> requests.Response:
        """One request; header names are written with underscores."""
        sent = {"Accept": accept, "Authorization": f"Bearer {token}"}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        url = path if path.startswith("http") else f"{self.site}/_api/{path}"
        kind = {"Content-Type": sent.pop("Content-Type", NONE)} if body is not None else {}
        return self.session.request(method, url, json=body, headers={**sent, **kind}, timeout=TIMEOUT)

    def get(self, path: str, **more: Any) -> Any:
        answer = self.ask("GET", path, **more)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def post(self, path: str, body: Any = None, **more: Any) -> Any:
        answer = self.ask("POST", path, {} if body is None else body, **more)
        assert answer.status_code in (200, 201), answer.text
        return answer.json() if answer.content else None

    def merge(self, path: str, body: Any, *, if_match: str = "*", **more: Any) -> requests.Response:
        return self.ask("POST", path, body, X_HTTP_Method="MERGE", IF_MATCH=if_match, **more)

    def make_list(self, title: str, *columns: str, **settings: Any) -> str:
        """A list with columns given as XML; its address below `_api/`."""
        made = self.post("web/lists", {"Title": title, "BaseTemplate": 100, **settings})
        path = f"web/lists(guid'{made['Id']}')"
        for xml in columns:
            self.post(f"{path}/fields/CreateFieldAsXml", {"parameters": {"SchemaXml": xml, "Options": 8}})
        return path

    def add(self, path: str, **values: Any) -> dict[str, Any]:
        return self.post(f"{path}/items", values)

    def code(self, answer: requests.Response) -> str:
        """The error code of a light or verbose error body."""
        body = answer.json()
        return str((body.get("odata.error") or body["error"])["code"])

    def switch(self, **positions: str) -> None:
        for name, position in positions.items():
            self.app.state.switches.set(name, position)


def serve(options: SharePointOptions | None = None, store: SharePointStore | None = None) -> Iterator[Emulator]:
    """Serve a site; a store made here is closed at the end, one that was given is the caller's."""
    kept = store or SharePointStore()
    app = create_app(kept, options=options or SharePointOptions(ru_per_minute=0))
    with EmulatorServer(app) as server:
        emulator = Emulator(app, server.url)
        yield emulator
        emulator.session.close()
    if store is None:
        kept.close()


KEY = (
    '<Field Type="Text" Name="EcoKey" DisplayName="EcoKey" MaxLength="100" Indexed="TRUE" EnforceUniqueValues="TRUE"/>'
)
BALANCE = '<Field Type="Currency" Name="Balance" DisplayName="Balance" Decimals="2" LCID="1030"/>'
DUE = '<Field Type="DateTime" Name="DueDate" DisplayName="Due" Format="DateOnly" Indexed="TRUE"/>'
PAID = '<Field Type="Boolean" Name="Paid" DisplayName="Paid"><Default>0</Default></Field>'
STATE = (
    '<Field Type="Choice" Name="EcoState" DisplayName="State" Indexed="TRUE">'
    "<CHOICES><CHOICE>Requested</CHOICE><CHOICE>Created</CHOICE></CHOICES></Field>"
)
NOTES = '<Field Type="Note" Name="Notes" DisplayName="Notes"/>'
LINK = '<Field Type="URL" Name="Pdf" DisplayName="Pdf" Format="Hyperlink"/>'
