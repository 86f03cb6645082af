"""One CRM site twice: in memory, and in the SharePoint emulator behind real HTTP with the real adapter before it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol, Self

import requests

from tests.fakes.fake_target import FakeSite, FakeTarget, lost_after_saving
from worker.domain.values import TargetKind, Value
from worker.emulators.common.server import EmulatorServer
from worker.emulators.sharepoint.app import create_app
from worker.emulators.sharepoint.options import SharePointOptions
from worker.emulators.sharepoint.store import SharePointStore
from worker.ports import Site, Target
from worker.sharepoint.auth import Identity, make_tokens
from worker.sharepoint.client import SharePointClient
from worker.sharepoint.definitions import LIST_OF, Definitions, load_definitions
from worker.sharepoint.formatting import load_looks
from worker.sharepoint.items import shape
from worker.sharepoint.provision import Provisioner
from worker.sharepoint.site import SharePointSite, SiteOptions
from worker.transport import RetryPolicy, Waits

CONFIG = Path(__file__).parents[2] / "config"
DEFINITIONS = load_definitions(CONFIG / "lists")
LOOKS = load_looks(CONFIG / "formatting", DEFINITIONS)
TOKEN = "planted-sharepoint-token-3"
PLAIN = "application/json;odata=nometadata"
COMPANY, INVOICE, CONTACT = TargetKind.COMPANY, TargetKind.INVOICE, TargetKind.CONTACT


def all_columns(kind: TargetKind) -> list[str]:
    return list(DEFINITIONS[LIST_OF[kind]].by_name)


class SiteWorld(Protocol):
    """A provisioned, empty site, and what people may do to it."""

    @property
    def site(self) -> Site: ...

    def target(self, kind: TargetKind, columns: Sequence[str] | None = None) -> Target:
        """The list, bound with these columns, or all of them."""
        ...

    def edit(self, kind: TargetKind, item_id: int, **values: Value) -> None: ...

    def remove(self, kind: TargetKind, item_id: int) -> None: ...

    def remove_list(self, kind: TargetKind) -> None:
        """A person takes the whole list off the site."""
        ...

    def lose_next_answer(self) -> None:
        """The next write is saved, but answered as if something went wrong."""
        ...


class FakeSiteWorld:
    """In memory."""

    def __init__(self) -> None:
        self.targets = {
            kind: FakeTarget(kind, {c.name: c.as_column() for c in DEFINITIONS[key].columns})
            for kind, key in LIST_OF.items()
        }
        self.site = FakeSite(self.targets)

    def target(self, kind: TargetKind, columns: Sequence[str] | None = None) -> Target:
        return self.site.bind({"test": (kind, columns or all_columns(kind))})[kind]

    def edit(self, kind: TargetKind, item_id: int, **values: Value) -> None:
        self.targets[kind].edit(item_id, **values)

    def remove(self, kind: TargetKind, item_id: int) -> None:
        self.targets[kind].remove(item_id)

    def remove_list(self, kind: TargetKind) -> None:
        del self.targets[kind]

    def lose_next_answer(self) -> None:
        for target in self.targets.values():
            target.script.append(lost_after_saving)


class EmulatorSiteWorld:
    """The adapter over HTTP. `slept` holds the waits it asked for; nothing really waits."""

    def __init__(self, definitions: Definitions = DEFINITIONS, **options: Any) -> None:
        self.definitions = definitions
        self.store = SharePointStore()
        self.app = create_app(self.store, options=SharePointOptions(**{"ru_per_minute": 0, "token": TOKEN, **options}))
        self.server = EmulatorServer(self.app)
        self.slept: list[float] = []
        self._open = ExitStack()
        self._provisioned = False

    def __enter__(self) -> Self:
        self._open.callback(self.store.close)
        self._open.enter_context(self.server)
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    @property
    def url(self) -> str:
        return f"{self.server.url}/sites/crm"

    def client(
        self,
        *,
        token: str = TOKEN,
        policy: RetryPolicy | None = None,
        units: float = 10**9,
        sleep: Callable[[float], None] | None = None,
        url: str | None = None,
    ) -> SharePointClient:
        """Another client of the same site."""
        address = url or self.url
        tokens = make_tokens(Identity("static-token", token=token), address)
        waits = Waits(sleep or self.slept.append)
        client = SharePointClient(address, tokens, units_per_minute=units, waits=waits, policy=policy)
        self._open.callback(client.close)
        return client

    @cached_property
    def site(self) -> SharePointSite:
        return self.make_site()

    def make_site(self, client: SharePointClient | None = None, **options: Any) -> SharePointSite:
        return SharePointSite(client or self.client(), self.definitions, SiteOptions(**options))

    def provision(self) -> None:
        maker = Provisioner(self.site, self.definitions, looks=LOOKS)
        maker.apply(maker.plan())
        self.reset()

    def target(self, kind: TargetKind, columns: Sequence[str] | None = None) -> Target:
        return self.site.bind({"test": (kind, columns or all_columns(kind))})[kind]

    def edit(self, kind: TargetKind, item_id: int, **values: Value) -> None:
        definition = self.definitions[LIST_OF[kind]]
        rest = {shape(definition.by_name[name].as_column(), self.site.zone).rest: v for name, v in values.items()}
        self.merge(definition.title, item_id, rest)

    def remove(self, kind: TargetKind, item_id: int) -> None:
        self._post(f"{self._items(self.definitions[LIST_OF[kind]].title)}({item_id})/recycle()", {})

    def remove_list(self, kind: TargetKind) -> None:
        title = self.definitions[LIST_OF[kind]].title
        self._post(f"{self.url}/_api/web/lists/getbytitle('{title}')/recycle()", {})
        self.site.forget()  # what was read before is a run's own

    def lose_next_answer(self) -> None:
        self.fault("500-after-commit")

    def fresh(self) -> Self:
        """As it was after provisioning."""
        if self._provisioned:
            self._control("restore")
        else:
            self.provision()
            self._control("snapshot")
            self._provisioned = True
        self.app.state.faults.clear()
        self.app.state.switches.reset()
        self.slept.clear()
        self.reset()
        return self

    def _control(self, verb: str) -> None:
        requests.post(f"{self.server.url}/_emulator/{verb}", timeout=30).raise_for_status()

    # What the emulator can be told, and what it counted.

    def fault(self, name: str, count: int = 1) -> None:
        """The next `count` chances of a fault hit."""
        self.app.state.faults.once(name, count)

    def switch(self, **positions: str) -> None:
        for name, value in positions.items():
            self.app.state.switches.set(name, value)

    def reset(self) -> None:
        self.app.state.meter.reset()

    @property
    def metered(self) -> Mapping[str, Any]:
        total: Mapping[str, Any] = self.app.state.meter.snapshot()["total"]
        return total

    # What a person or another program does over REST.

    def post(self, title: str, values: Mapping[str, Any]) -> int:
        return int(self._post(self._items(title), values).json()["Id"])

    def merge(self, title: str, item_id: int, values: Mapping[str, Any]) -> None:
        self._post(f"{self._items(title)}({item_id})", values, {"X-HTTP-Method": "MERGE", "IF-MATCH": "*"})

    def rows(self, title: str) -> list[dict[str, Any]]:
        answer = requests.get(f"{self._items(title)}?$top=5000", headers=self._headers(), timeout=30)
        rows: list[dict[str, Any]] = answer.json()["value"]
        return rows

    def ask(self, path: str, body: Mapping[str, Any], **headers: str) -> requests.Response:
        """Any other call below `_api/`."""
        return self._post(f"{self.url}/_api/{path}", body, {k.replace("_", "-"): v for k, v in headers.items()})

    def _post(self, url: str, body: Mapping[str, Any], more: Mapping[str, str] | None = None) -> requests.Response:
        answer = requests.post(url, json=body, headers={**self._headers(), **(more or {})}, timeout=30)
        answer.raise_for_status()
        return answer

    def _items(self, title: str) -> str:
        return f"{self.url}/_api/web/lists/getbytitle('{title}')/items"

    @staticmethod
    def _headers() -> dict[str, str]:
        return {
            "Authorization": f"Bearer {TOKEN}",
            "Accept": PLAIN,
            "Content-Type": PLAIN,
            "User-Agent": "Person/1.0",
            "X-Emulator-User": "9",
        }
