"""The demo's three nights: what happens, in sentences, tables and sums, with the emulators' own counts beside ours."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from contextlib import AbstractContextManager, ExitStack
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Self

import requests
from rich.rule import Rule
from rich.text import Text

from worker.cli.demo_after import APP_SECRET, TOKEN, After, create_settings, worker_home
from worker.cli.demo_both import BothWays
from worker.cli.demo_console import Console, demo_console
from worker.cli.demo_people import Person
from worker.cli.local import ECONOMIC_PORT, SHAREPOINT_PORT, ZONE, Local, LocalOptions
from worker.cli.output import results, verdict
from worker.cli.progress import RichProgress
from worker.cli.reports import control_lines, report_table
from worker.domain.plan import ChangeKind
from worker.domain.render.values import duration, plain, some
from worker.domain.report import RunStatus
from worker.emulators.common.server import EmulatorServer
from worker.settings import EconomicSettings, Settings, SharePointSettings, SyncSettings
from worker.stores.sqlite import open_stores
from worker.sync.linking import Link
from worker.sync.runner import SessionResult
from worker.wiring import App, build_app
from worker.wiring.engine import DATABASE, JOURNAL

_NO_LIMIT = 10**9
_SMALL_TENANT = 1250 * 0.7  # resource units a minute that the worker would allow itself
_LISTS = ("Companies", "Contacts", "Invoices", "Sales statistics")
_TO_TRY = {"Title": "Sydhavn Tagdækning ApS", "CINumber": "87654328", "Country": "Danmark", "City": "København SV"}
_GOOD = (RunStatus.SUCCEEDED, RunStatus.WITH_ERRORS)


class _Clock:
    """The machine's clock, some days ahead."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def now(self) -> datetime:
        return datetime.now(UTC) + self.ahead


class DemoStory:
    """Starts both emulators on free ports, tells the story, stops them."""

    def __init__(self, folder: Path, size: str, seed: int) -> None:
        self._out = results()
        self._seed = seed
        self._clock = _Clock()
        self._stack = ExitStack()
        self._out.print(Text(f"Making a {size} agreement with seed {seed} ...", style="dim"))
        options = LocalOptions(
            folder,
            size,
            seed,
            token=TOKEN,
            units_per_minute=0,
            today=self._today,
        )
        self._local = Local(options)
        self._folder = folder
        self._someone = ""
        self.economic = EmulatorServer(self._local.economic)
        self.sharepoint = EmulatorServer(self._local.sharepoint)

    def __enter__(self) -> Self:
        self._stack.callback(self._local.close)
        self._stack.enter_context(self.economic)
        self._stack.enter_context(self.sharepoint)
        self._progress = self._stack.enter_context(RichProgress(self._out))
        self._person = Person(self.site, TOKEN)
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    @property
    def site(self) -> str:
        """The CRM site's address."""
        return f"{self.sharepoint.url}/sites/crm"

    def tell(self) -> bool:
        """The whole story; True when something did not end as it should."""
        self._heading("Setting up", "Two local services over real HTTP; the worker signs in as it would anywhere.")
        self._line(f"e-conomic    {self.economic.url}")
        self._line(f"SharePoint   {self.site}")
        self._line(
            "Pacing is off: these services do not throttle. On a tenant of up to 1,000 licences the worker keeps to "
            "70 % of 1,250 resource units a minute; each night below says how long it would take there."
        )
        self._set_up()
        self._heading("Linking what people typed", "So that no customer gets a second company.")
        self._link()
        self._heading("Night 1: first load", "Everything e-conomic knows goes into the lists.")
        failed = self._night(approved=self._looked_at())
        self._heading("The next day", "Things happen in e-conomic, and people work in the CRM.")
        edits = self._next_day()
        self._heading("Night 2: what changed", "Only the differences are written.")
        failed |= self._night()
        failed |= self._show_edits(edits)
        self._heading("Night 3: nothing changed", "A run over unchanged data writes nothing to the CRM's lists.")
        failed |= self._night(unchanged=True)
        self._heading(
            "Both ways", "A company of the CRM becomes a customer; e-conomic changes a number; a run is taken back."
        )
        failed |= self._both_ways()
        return failed

    def console(self) -> AbstractContextManager[Console]:
        """The console over what the story left."""
        return demo_console(worker_home(self._folder), self._settings(), self._clock)

    def where_to_look(self, console: Console | None) -> None:
        """The end: pages while everything serves, commands to try, and how to go live."""
        self._heading("Where to look", "")
        economic = self.economic.url if console else f"http://127.0.0.1:{ECONOMIC_PORT}"
        site = self.site if console else f"http://127.0.0.1:{SHAREPOINT_PORT}/sites/crm"
        self._person.adds("Companies", _TO_TRY)
        company = int(self._person.finds("Companies", "Title", _TO_TRY["Title"])["Id"])
        after = After(self._folder, economic, site, self._today(), self._someone, console, company)
        after.write_settings()
        for line in after.lines():
            self._line(line)

    def _today(self) -> date:
        return self._clock.now().astimezone(ZONE).date()

    def _settings(self) -> Settings:
        return Settings(
            EconomicSettings(
                app_secret=APP_SECRET,
                grant_token=TOKEN,
                base_url=self.economic.url,
                openapi_url=self.economic.url,
            ),
            SharePointSettings(
                site_url=self.site,
                auth="static-token",
                token=TOKEN,
                units_per_minute=_NO_LIMIT,
            ),
            SyncSettings(data_dir=worker_home(self._folder)),
            create=create_settings(),
        )

    def _open(self) -> App:
        journal = open_stores(worker_home(self._folder) / JOURNAL).records
        return build_app(
            self._settings(), clock=self._clock, progress=self._progress, stop=threading.Event(), journal=journal
        )

    def _set_up(self) -> None:
        with self._open() as app:
            plan = app.provision_plan()
            self._progress.started("provisioning lists, columns, indexes and views", len(plan.steps))
            app.provision(plan, lambda _text: self._progress.advanced(1))
            self._progress.finished()
            profiles = app.shipped_profiles()
            for profile in profiles:
                app.profiles.save(profile)
        self._line(
            f"{len(plan.steps)} things provisioned, {len(profiles)} profiles saved in the list Mapping profiles."
        )
        prospects = self._local.dataset.prospects if self._local.dataset else []
        for prospect in prospects:
            self._person.adds("Companies", prospect)
        self._line(f"The CRM already holds {len(prospects)} companies that people typed, without customer numbers.")

    def _link(self) -> None:
        """Says yes, as a person would, where the CVR number is the same; without it those customers would wait."""
        with self._open() as app:
            assistant = app.link_assistant()
            found = assistant.suggestions()
            same = [one for one in found.matches if "cvr" in one.candidates[0].reasons]
            links = [Link(one.company.item_id, one.candidates[0].number, one.company.version) for one in same]
            linked = [one for one in assistant.accept(links) if not one.problem]
        self._line(
            f"{len(linked)} of them have the CVR number of a customer and are linked to it. "
            f"{len(found.matches) - len(same)} look like a customer, which a person decides; e-conomic does not know "
            f"the other {found.alone}, and they stay untouched."
        )

    def _looked_at(self) -> bool:
        """What an administrator does before the first run: looks at the plan. Whether it must be let past the brake,
        since much of what people typed in the linked companies gives way to e-conomic's."""
        with self._open() as app:
            chosen = [row.profile for row in app.profiles.profiles() if row.profile is not None][:1]
            with app.session(chosen, app.run_options()) as session:
                (plan,) = session.plan()
        creates, updates = (plan.plan.count(kind) for kind in (ChangeKind.CREATE, ChangeKind.UPDATE))
        self._line(f"First the plan, which writes nothing: {creates} companies to create, {updates} to update.")
        for reason in plan.braked:
            self._line(f"The brake would stop it: {reason}", "dim")
            self._line("These are the companies that were linked. An administrator lets it pass (--yes-really).", "dim")
        return bool(plan.braked)

    def _night(self, *, unchanged: bool = False, approved: bool = False) -> bool:
        for side in (self.economic, self.sharepoint):
            requests.post(f"{side.url}/_emulator/stats/reset", timeout=60).raise_for_status()
        with self._open() as app:
            rows = app.profiles.profiles()
            chosen = [row.profile for row in rows if row.profile is not None]
            with app.session(chosen, app.run_options(override_brake=approved)) as session:
                result = session.run()
            ours = app.source.usage().requests, app.site.usage().requests
        self._out.print(report_table(result.reports, self._out.width))
        for line in control_lines(result.reports):
            self._out.print(line)
        written, theirs = self._counts()
        self._verdict(ours == theirs, f"the worker's own count: {ours[0]:,} and {ours[1]:,} requests")
        bad = ours != theirs or result.error is not None or any(report.status not in _GOOD for report in result.reports)
        if result.error is not None:
            self._line(f"ended by: {result.error}", "bold red")
        if unchanged:
            self._verdict(
                written == 0, "no row of the CRM's lists was written; only the run list got its closing batch"
            )
            bad |= written != 0
        self._forecast(result)
        return bad

    def _counts(self) -> tuple[int, tuple[int, int]]:
        """The emulators' own counts, as a cross-check: rows written to the CRM's lists, requests to either side."""
        economic = self._stats(self.economic)
        sharepoint = self._stats(self.sharepoint)
        written = sum(int(sharepoint["by_target"].get(name, {}).get("writes", 0)) for name in _LISTS)
        self._line(
            f"counted by the services: e-conomic {economic['requests']} requests (call cost {economic['cost']:.0f}); "
            f"SharePoint {sharepoint['requests']} requests, {sharepoint['writes']} of them writes in "
            f"{some(sharepoint['batches'], 'batch')}, {written:,} rows of the CRM written, "
            f"{sharepoint['cost']:,.0f} resource units billed",
            "dim",
        )
        return written, (economic["requests"], sharepoint["requests"])

    def _stats(self, side: EmulatorServer) -> Mapping[str, Any]:
        answer = requests.get(f"{side.url}/_emulator/stats", timeout=60)
        answer.raise_for_status()
        total: Mapping[str, Any] = answer.json()["total"]
        return total

    def _forecast(self, result: SessionResult) -> None:
        minutes = sum(report.units for report in result.reports) / _SMALL_TENANT
        if result.reports:
            self._line(f"with pacing, on a small tenant, this night takes {duration(minutes)}", "dim")

    def _next_day(self) -> list[dict[str, Any]]:
        answer = requests.post(f"{self.economic.url}/_emulator/next-day", json={"seed": self._seed}, timeout=120)
        answer.raise_for_status()
        told = answer.json()
        self._clock.ahead += timedelta(days=1)
        for sentence in told["story"]:
            self._line(f"- {sentence}")
        edits: list[dict[str, Any]] = told["crm_edits"]
        for edit in edits:
            item = self._item(edit)
            edit["before"] = item.get(edit["column"])
            self._person.changes(edit["list_title"], item["Id"], edit["column"], edit["value"])
        return edits

    def _show_edits(self, edits: list[dict[str, Any]]) -> bool:
        """How people's edits fared: kept in their own columns, healed in e-conomic's."""
        wrong = False
        for edit in edits:
            now = self._item(edit).get(edit["column"])
            name = f"{edit['list_title']} {edit['key']}, {edit['column']}"
            if edit["owner"] == "CRM":
                right = now == edit["value"]
                self._verdict(right, f"{name}: '{now}' typed by a person was kept (the CRM owns this column)")
            else:
                right = now == edit["before"]
                text = f"{name}: '{edit['value']}' typed by a person went back to '{now}' (e-conomic owns this column)"
                self._verdict(right, text)
                self._someone = str(edit["key"])
            wrong |= not right
        return wrong

    def _both_ways(self) -> bool:
        """What goes the other way, and what keeps both systems one."""
        records = open_stores(worker_home(self._folder) / DATABASE).records
        acts = BothWays(self._open, self._person, self.economic.url, records)
        wrong = False
        for right, text in acts.play():
            self._verdict(right, text)
            wrong |= not right
        return wrong

    def _item(self, edit: Mapping[str, Any]) -> dict[str, Any]:
        return self._person.finds(edit["list_title"], edit["key_column"], str(edit["key"]))

    def _heading(self, title: str, text: str) -> None:
        self._out.print()
        self._out.print(Rule(Text(title, style="bold"), align="left"))
        if text:
            self._line(text, "dim")

    def _line(self, text: str, style: str = "") -> None:
        self._out.print(Text(plain(text), style=style))

    def _verdict(self, right: bool, text: str) -> None:
        self._out.print(verdict(right, text))
