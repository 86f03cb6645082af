"""Both emulators over real HTTP and the worker's own wiring against them."""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any, Self

import pytest
import requests

from worker.domain.converters import cvr_digits
from worker.domain.profile import Profile
from worker.emulators.common.server import EmulatorServer
from worker.emulators.dataset import generate
from worker.emulators.economic.app import create_app as economic_app
from worker.emulators.economic.options import EconomicOptions
from worker.emulators.economic.store import EconomicStore
from worker.emulators.sharepoint.app import create_app as sharepoint_app
from worker.emulators.sharepoint.options import SharePointOptions
from worker.emulators.sharepoint.store import SharePointStore
from worker.settings import CreateSettings, EconomicSettings, Settings, SharePointSettings, SyncSettings
from worker.sync.runner import SessionResult
from worker.wiring import App, build_app

TODAY = date(2026, 11, 25)
TOKEN = "test-token"
# Columns that differ between two runs that did the same: stamps, and the server's own.
VOLATILE = frozenset({"SyncRunID", "FiguresAsOf", "ERPLastChanged"})
_SITES: dict[str, sqlite3.Connection] = {}  # kind of world -> its site once it was set up
DATA_LISTS = ("Companies", "Contacts", "Invoices", "Sales statistics")


@dataclass
class MovableClock:
    """A clock that stands still until it is moved; 02:00 local time of the day."""

    moment: datetime = field(default_factory=lambda: datetime.combine(TODAY, time(1), UTC))

    def now(self) -> datetime:
        return self.moment

    def forward(self, days: int = 1) -> None:
        self.moment += timedelta(days=days)


class World:
    """An e-conomic agreement, a CRM site, and a worker between them."""

    # Room for a test's undisturbed result: the lists, and how many requests each side saw.
    expected: dict[str, list[dict[str, Any]]]
    calm: dict[str, int]
    ledgers: dict[str, Any]

    def __init__(
        self, folder: Path, size: str = "tiny", seed: int = 1, *, patient: bool = True, **sharepoint: Any
    ) -> None:
        """`patient` False keeps every retry limit but does not wait between attempts; the rest are options of the
        SharePoint emulator."""
        self.patient = patient
        self.folder = folder
        self._kind = f"{size} {seed} {sorted(sharepoint.items())}"
        self.clock = MovableClock()
        self.site_path = sharepoint.get("site_path", "/sites/crm")
        self.economic_store = EconomicStore(folder / "economic.sqlite")
        self.sharepoint_store = SharePointStore(folder / "sharepoint.sqlite")
        self.data = generate(size, seed, TODAY)
        self.economic_store.load(self.data)
        today = lambda: self.clock.now().date()  # noqa: E731
        self.economic_app = economic_app(
            self.economic_store, options=EconomicOptions(today=today, now=self.clock.now, slow_ms=10, timeout_s=0.05)
        )
        options = SharePointOptions(ru_per_minute=0, slow_ms=10, **sharepoint)
        self.sharepoint_app = sharepoint_app(self.sharepoint_store, options=options)
        self.economic = EmulatorServer(self.economic_app)
        self.sharepoint = EmulatorServer(self.sharepoint_app)
        self.stop = threading.Event()

    def __enter__(self) -> Self:
        self.economic.start()
        self.sharepoint.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.economic.stop()
        self.sharepoint.stop()
        self.economic_store.close()
        self.sharepoint_store.close()

    @property
    def site_url(self) -> str:
        return f"{self.sharepoint.url}{self.site_path}"

    def environment(self) -> dict[str, str]:
        """The same as environment variables, for a worker in a process of its own."""
        return {
            "ECONOMIC_APP_SECRET": "test-app-secret",
            "ECONOMIC_GRANT_TOKEN": TOKEN,
            "ECONOMIC_BASE_URL": self.economic.url,
            "ECONOMIC_OPENAPI_URL": self.economic.url,
            "SHAREPOINT_SITE_URL": self.site_url,
            "SHAREPOINT_AUTH": "static-token",
            "SHAREPOINT_TOKEN": TOKEN,
            "SHAREPOINT_UNITS_PER_MINUTE": "1000000000",
            "SYNC_DATA_DIR": str(self.folder / "data"),
            "SYNC_AS_OF": self.clock.now().date().isoformat(),
        }

    def commands_here(self, monkeypatch: pytest.MonkeyPatch, folder: Path, **more: str) -> None:
        """Commands of this process work between these two sides, and in `folder`."""
        for name, value in {**self.environment(), **more}.items():
            monkeypatch.setenv(name, value)
        monkeypatch.chdir(folder)

    def settings(self, create: CreateSettings | None = None, **sync: Any) -> Settings:
        """Settings for a worker in this process."""
        return Settings(
            EconomicSettings(
                app_secret="test-app-secret",  # type: ignore[arg-type]
                grant_token=TOKEN,  # type: ignore[arg-type]
                base_url=self.economic.url,
                openapi_url=self.economic.url,
            ),
            SharePointSettings(
                site_url=self.site_url,
                auth="static-token",
                token=TOKEN,  # type: ignore[arg-type]
                units_per_minute=10**9,
            ),
            SyncSettings(data_dir=self.folder / "data", **sync),
            create=create,
        )

    def app(self, settings: Settings | None = None) -> App:
        return build_app(settings or self.settings(), clock=self.clock, stop=self.stop, patient=self.patient)

    def set_up(self) -> None:
        """Lists, the shipped profiles and prospects that e-conomic does not know. Made by the worker, over HTTP, for
        the first world of its kind in this process; those after it begin with a copy of that site."""
        kept = self.folder / "sharepoint.sqlite.snapshot"  # where the emulator looks for what it is to restore
        if self._kind in _SITES:
            with contextlib.closing(sqlite3.connect(kept)) as copy:
                _SITES[self._kind].backup(copy)
            self.control("sharepoint", "restore", {})
            return
        self._make_site()
        self.control("sharepoint", "snapshot", {})
        _SITES[self._kind] = sqlite3.connect(":memory:")
        with contextlib.closing(sqlite3.connect(kept)) as made:
            made.backup(_SITES[self._kind])

    def _make_site(self) -> None:
        with self.app() as app:
            app.provision(app.provision_plan())
            for profile in app.shipped_profiles():
                app.profiles.save(profile)
        known = {cvr_digits(one.get("corporateIdentificationNumber") or "") for one in self.data.customers}
        for prospect in self.data.prospects:
            if prospect.get("CINumber") not in known:
                self.post("Companies", prospect)

    def run(self, titles: Sequence[str] = (), *, override_brake: bool = False) -> SessionResult:
        """One nightly job in this process."""
        with self.app() as app:
            profiles = self.profiles(app, titles)
            with app.session(profiles, app.run_options(override_brake=override_brake)) as session:
                return session.run()

    @staticmethod
    def profiles(app: App, titles: Sequence[str] = ()) -> list[Profile]:
        rows = app.profiles.profiles()
        return [row.profile for row in rows if row.profile and (not titles or row.title in titles)]

    def next_day(self) -> dict[str, Any]:
        """The source's next day, and the two edits people make in the CRM."""
        answer = requests.post(f"{self.economic.url}/_emulator/next-day", json={"seed": 1}, timeout=30)
        answer.raise_for_status()
        story: dict[str, Any] = answer.json()
        self.clock.forward()
        for edit in story["crm_edits"]:
            self.edit(edit["list_title"], edit["key_column"], edit["key"], {edit["column"]: edit["value"]})
        return story

    def control(self, side: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """A control call to `economic` or `sharepoint`; POST when there is a body, else GET."""
        base = f"{getattr(self, side).url}/_emulator/{path}"
        answer = requests.get(base, timeout=60) if body is None else requests.post(base, json=body, timeout=60)
        answer.raise_for_status()
        return answer.json()

    def release(self, side: str) -> None:
        """Lets go of a held request."""
        requests.delete(f"{getattr(self, side).url}/_emulator/hold", timeout=60).raise_for_status()

    def snapshot(self) -> None:
        self.control("economic", "snapshot", {})
        self.control("sharepoint", "snapshot", {})
        self._moment = self.clock.moment

    def restore_all(self) -> None:
        """Both sides as they were, and nothing that the worker kept: no leases, no journal."""
        self.restore()
        shutil.rmtree(self.folder / "data", ignore_errors=True)

    def restore(self) -> None:
        self.control("economic", "restore", {})
        self.control("sharepoint", "restore", {})
        self.clock.moment = self._moment

    def economic_call(self, method: str, path: str, body: Any = None) -> Any:
        """What a person or another program does in e-conomic over REST."""
        headers = {"X-AppSecretToken": "test-app-secret", "X-AgreementGrantToken": TOKEN}
        answer = requests.request(method, f"{self.economic.url}{path}", json=body, headers=headers, timeout=30)
        answer.raise_for_status()
        return answer.json() if answer.content else None

    def economic_change(self, number: int, **values: Any) -> None:
        """Somebody changes a customer in e-conomic; None takes a value away."""
        path = f"/customers/{number}"
        body = {**self.economic_call("GET", path), **values}
        self.economic_call("PUT", path, {name: value for name, value in body.items() if value is not None})

    # What a person or another program does to the lists over REST.

    def _headers(self, **more: str) -> dict[str, str]:
        plain = "application/json;odata=nometadata"
        return {
            "Authorization": f"Bearer {TOKEN}",
            "Accept": plain,
            "Content-Type": plain,
            "User-Agent": "Person/1.0",
            "X-Emulator-User": "9",
            **more,
        }

    def _items_url(self, title: str) -> str:
        return f"{self.site_url}/_api/web/lists/getbytitle('{title}')/items"

    def post(self, title: str, values: Mapping[str, Any]) -> int:
        answer = requests.post(self._items_url(title), json=values, headers=self._headers(), timeout=30)
        answer.raise_for_status()
        return int(answer.json()["Id"])

    def merge(self, title: str, item_id: int, values: Mapping[str, Any]) -> None:
        self.change(f"{self._items_url(title)}({item_id})", values)

    def change(self, url: str, values: Mapping[str, Any]) -> None:
        """MERGE on any address of the site, such as a column."""
        headers = self._headers(**{"X-HTTP-Method": "MERGE", "IF-MATCH": "*"})
        requests.post(url, json=values, headers=headers, timeout=30).raise_for_status()

    def call(self, path: str, body: Mapping[str, Any]) -> Any:
        """A POST below the site."""
        answer = requests.post(f"{self.site_url}{path}", json=body, headers=self._headers(), timeout=30)
        answer.raise_for_status()
        return answer.json()

    def get(self, path: str) -> Any:
        """A GET below the site."""
        answer = requests.get(f"{self.site_url}{path}", headers=self._headers(), timeout=30)
        answer.raise_for_status()
        return answer.json()

    def drop_column(self, title: str, internal: str) -> None:
        """A person takes a column out of a list."""
        path = f"fields/getbyinternalnameortitle('{internal}')"
        answer = requests.delete(
            f"{self.site_url}/_api/web/lists/getbytitle('{title}')/{path}",
            headers=self._headers(**{"IF-MATCH": "*"}),
            timeout=30,
        )
        answer.raise_for_status()

    def recycle(self, title: str, item_id: int) -> None:
        url = f"{self._items_url(title)}({item_id})/recycle()"
        requests.post(url, headers=self._headers(), timeout=30).raise_for_status()

    def edit(self, title: str, key_column: str, key: str, values: Mapping[str, Any]) -> int:
        (item,) = [row for row in self.rows(title) if str(row.get(key_column)) == key]
        self.merge(title, item["Id"], values)
        return int(item["Id"])

    def rows(self, title: str) -> list[dict[str, Any]]:
        """All items with all columns, by raw REST."""
        url: str | None = f"{self._items_url(title)}?$top=5000"
        rows: list[dict[str, Any]] = []
        while url:
            answer = requests.get(url, headers=self._headers(), timeout=60)
            answer.raise_for_status()
            page = answer.json()
            rows += page["value"]
            url = page.get("odata.nextLink")
        return rows

    def truth(self) -> dict[str, list[dict[str, Any]]]:
        """The data lists without ids, stamps and server columns; look-ups by the company's Customer ID."""
        companies = {row["Id"]: row.get("CustomerID") or row.get("Title") for row in self.rows("Companies")}
        return {title: sorted((_plain(row, companies) for row in self.rows(title)), key=repr) for title in DATA_LISTS}


_SERVERS_OWN = frozenset(
    {"Id", "ID", "GUID", "Modified", "Created", "AuthorId", "EditorId", "OData__UIVersionString", "ContentTypeId"}
    | {"FileSystemObjectType", "ServerRedirectedEmbedUri", "ServerRedirectedEmbedUrl"}
    | {"ComplianceAssetId", "Attachments"}
)


def _plain(row: Mapping[str, Any], companies: Mapping[int, Any]) -> dict[str, Any]:
    values = {k: v for k, v in row.items() if k not in _SERVERS_OWN | VOLATILE and not k.startswith("odata.")}
    if values.get("CompanyId") is not None:
        values["CompanyId"] = f"company {companies[values['CompanyId']]}"
    return values
