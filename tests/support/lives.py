"""The worker between both systems, well, disturbed or killed; and what must be true at any moment and at rest.

What people do is in `tests.support.people`.
"""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Literal

from starlette.testclient import TestClient

from tests.fakes.fake_work import make_fake_stores
from tests.support.at_request import AtRequest
from tests.support.both_sides import differences, rows_in_scope
from tests.support.hosting import QUICK, make_host, work_one
from tests.support.mortal import Killed
from tests.support.people import Asked, People, cvr_of
from tests.support.world import DATA_LISTS, VOLATILE, World
from worker.domain.report import Ledger, RunReport, RunStatus
from worker.engine.hints import HintBook
from worker.engine.terms import StartRequest, Verdict
from worker.errors import NotFoundError, WorkerError
from worker.settings import CreateSettings
from worker.sync.claims import State
from worker.sync.linking import Link
from worker.sync.runner import SessionResult
from worker.web.app import create_app
from worker.wiring.app import App
from worker.wiring.decisions import DecisionBook
from worker.wiring.errands import live_sync
from worker.wiring.hooks import economic_hooks
from worker.wiring.reconciling import reconcile
from worker.wiring.renumbered import RenumberBook
from worker.wiring.undoing import Choice, apply_undo

# What the worker does not yet do right, by the step in which it would show, and why. A step of these is not dealt; take
# its line away and the stories demand it.
NOT_YET: Mapping[str, str] = {}

RULES = CreateSettings(allow=True, group="1", payment_terms="1", vat_zone="1", currency="DKK", without_cvr=True)
Doing = Literal["create", "run", "live", "night"]
Side = Literal["economic", "sharepoint"]
Order = Literal["as they come", "reversed", "twice", "lost"]
Lists = dict[str, dict[int, dict[str, Any]]]
KEYS = {"Companies": "CustomerID", "Contacts": "ImportID", "Invoices": "InvoiceNumber", "Sales statistics": "StatKey"}
_STAMPS = VOLATILE | {"Modified", "EditorId", "OData__UIVersionString"}
_LIST_OF = {
    "Customers": "Companies",
    "Contacts": "Contacts",
    "Balances": "Companies",
    "Sales history": "Companies",
    "Invoices": "Invoices",
    "Sales statistics by period": "Sales statistics",
}
HIDDEN = 11  # minutes until a message that a killed worker had taken can be taken by another
_FEW = 3  # changes of one chunk: a night is killed between chunks too


@dataclass(frozen=True)
class LastRun:
    """The last run that wrote: what stood in the lists before and after."""

    ids: tuple[str, ...]
    before: Lists
    after: Lists


@dataclass(repr=False)
class Lives(People):
    """One agreement, one site, and a worker that is not always well. `world` is set up, has been run, and goes back to
    that with each new story."""

    last: LastRun | None = None

    def __post_init__(self) -> None:
        world = self.world
        world.restore_all()
        world.economic_app.state.webhooks.log.clear()
        # No number is given again by itself; `gives_number_away` does it.
        world.economic_app.state.switches.set("customer_number_assignment", "highest_plus_one")
        options = replace(QUICK, chunk=_FEW)
        self.host = make_host({"default": world}, make_fake_stores(world.clock), world.clock, options, create=RULES)
        self._hook = f"/hooks/economic/{self.host.hook_secrets.make('default')}"
        self._client = TestClient(create_app(self.host), base_url="http://127.0.0.1:8642")
        self.hints = HintBook(self.host.stores.records, "default")
        self._calls = 0  # of e-conomic: that have come, or never will
        self.parties.begin(self.companies())
        self._cvrs = self._twice(cvr_of)
        self._items: dict[str, set[int]] = {title: set() for title in DATA_LISTS}

    @staticmethod
    def prepare(world: World) -> None:
        """Sets a world up for stories: its first run is over, and e-conomic's calls wait to be handed over."""
        world.set_up()
        world.run()
        with world.app() as app:
            economic_hooks(app, "http://127.0.0.1:9/hooks").set_up()
        world.snapshot()

    # The worker, well and unwell.

    def open(self) -> App:
        """As the worker opens its connection."""
        return self.host.open("default")

    def does(self, doing: Doing, *, alone: bool = False) -> bool:
        """One piece of work; whether it came to its end. What may pass is left to the next look. `alone`: nobody else
        writes meanwhile."""
        try:
            match doing:
                case "create":
                    with self.open() as app:
                        app.creator().poll()
                case "run":
                    return self.runs(disturbed=not alone).error is None
                case "live":
                    return self.works()
                case "night":
                    return self.works_a_night()
        except WorkerError:
            return False  # told in the log; the next look goes on
        return True

    def works(self) -> bool:
        """All messages that wait; False when they are left for later."""
        self._works_all()
        done = self.hints.read()
        return not done.waits and (not done.done or done.done[-1].succeeded)

    def _works_all(self) -> None:
        """Until no message is left. Whoever is told to wait waits: a pause of a service ends only with time."""
        for _ in range(500):
            match work_one(self.host):
                case None:
                    return
                case Verdict.WAITING:
                    self.passes(0.5)
        raise AssertionError("no end after 500 messages")

    def works_a_night(self) -> bool:
        """A job of the engine, started if there is none, and all other messages that wait; a person has said that the
        brake may be passed."""
        engine = self.host.engine
        job = engine.running("default") or engine.start(StartRequest("default", override_brake=True))[0]
        self._works_all()
        after = engine.job("default", job.job_id)
        assert after is not None
        if not after.state.is_over:
            return False
        for run in after.runs:
            assert run.ledger is None or run.ledger.balances, run
        return True

    def dies(self, doing: Doing, side: Side, at: int = 1, *, before: bool = False, saying: str = "") -> bool:
        """The process is killed at a request that writes, or says so; False when it came to its end before."""
        return self.meanwhile(doing, side, die, at, before=before, saying=saying)

    def meanwhile(
        self,
        doing: Doing,
        side: Side,
        action: Callable[[], object],
        at: int = 1,
        *,
        before: bool = True,
        writes: bool = True,
        saying: str = "",
        alone: bool = False,
    ) -> bool:
        """Something happens at a request of the work."""
        where = AtRequest(getattr(self.world, side).url, at, before, writes, saying)
        try:
            with where.does(action):
                self.does(doing, alone=alone)
        except Killed:
            pass
        return where.happened

    def is_unwell(self, doing: Doing, side: Side, at: int, fault: str, count: int, **where: Any) -> bool:
        """From a request on, `count` times, a service has this fault. `where`: see `meanwhile`."""
        faults = getattr(self.world, f"{side}_app").state.faults
        try:
            return self.meanwhile(doing, side, lambda: faults.once(fault, count), at, **where)
        finally:
            faults.clear()
            self.world.economic_app.state.gate.revoked = False

    def calls(self, order: Order = "as they come") -> None:
        """e-conomic's calls since the last time."""
        bodies = self._new_calls()
        for body in {"reversed": bodies[::-1], "twice": bodies * 2, "lost": []}.get(order, bodies):
            self.call(body)

    def calls_together(self) -> None:
        """The same; all the others come while the first is being taken in."""
        bodies = self._new_calls()
        folding = self.host.engine._hints["default"]._take_in
        entered = threading.Event()
        real = self.host.stores.records.write

        def write(*arguments: Any, **more: Any) -> Any:
            if not entered.is_set():
                entered.set()
                while len(folding._waiting) < len(bodies) - 1:
                    threading.Event().wait(0.001)
            return real(*arguments, **more)

        self.host.stores.records.write = write  # type: ignore[method-assign]
        try:
            with ThreadPoolExecutor(max(1, len(bodies))) as pool:
                list(pool.map(self.call, bodies))
        finally:
            self.host.stores.records.write = real  # type: ignore[method-assign]

    def _new_calls(self) -> list[dict[str, Any]]:
        log = self.world.economic_app.state.webhooks.log
        bodies = [json.loads(one.body) for one in log[self._calls :]]
        self._calls = len(log)
        return bodies

    def call(self, body: Mapping[str, Any]) -> None:
        """One call."""
        answer = self._client.post(self._hook, json=dict(body))
        assert answer.status_code == 204, answer.text

    def _told(self) -> set[int]:
        """Customers that calls have named since somebody looked, and those of the invoices they named."""
        pending = self.hints.read()
        sql = "SELECT customer FROM invoices WHERE number = ?"
        billed = [self.world.economic_store.query(sql, (int(invoice),)) for invoice in pending.invoices]
        return {*map(int, pending.customers), *(row["customer"] for rows in billed for row in rows)}

    def works_what_was_told(self) -> None:
        """Undisturbed: the customers that were named are right afterwards, before any night."""
        told = self._told()
        if self.host.engine.running("default") is None and self.works():
            self.are_right(told)

    def runs_customer(self, number: int) -> None:
        """`run --customer`."""
        with self.open() as app:
            result = live_sync(app, [number])
        assert result.session.error is None, result.session.error
        self.are_right([number])

    def are_right(self, numbers: Iterable[int]) -> None:
        """Both systems say the same of these customers, as far as it is known who they are."""
        known = {str(number) for number in numbers if number in self.parties.known()}
        found = [one.text for one in differences(self.world) if one.customer in known]
        assert not found, found

    def runs(self, *titles: str, disturbed: bool = False) -> SessionResult:
        """All profiles, or these; a person has said that the brake may be passed. `disturbed`: others may write
        meanwhile."""
        before, writes = self.lists(), self._writes()
        with self.open() as app:
            profiles = self.world.profiles(app, titles)
            with app.session(profiles, app.run_options(override_brake=True)) as session:
                result = session.run()
        after = self.lists()
        if before != after and result.error is None:
            self.last = LastRun(tuple(report.run_id for report in result.reports), before, after)
        self._nobody_is_asked_about_what_is_being_made(result)
        if result.error is None and not disturbed:
            self._ledgers_are_exact(writes, result.reports)
        return result

    def lists(self) -> Lists:
        """The data lists as they stand, but for stamps."""
        return {
            title: {
                row["Id"]: {name: row[name] for name in row if name not in _STAMPS} for row in self.world.rows(title)
            }
            for title in DATA_LISTS
        }

    def _nobody_is_asked_about_what_is_being_made(self, result: SessionResult) -> None:
        creating = {row["Title"] for row in self.world.rows("Companies") if row["CreateInEconomic"] == State.CREATING}
        asked = {row.title for report in result.reports for row in report.rows if row.code == "maybe-known"}
        assert not asked & creating, asked & creating

    def undoes(self) -> None:
        """The last run that wrote: what it wrote goes back where it stands still, and nothing else moves."""
        last, now, self.last = self.last, self.lists(), None
        if last is None:
            return
        with self.open() as app:
            for run in reversed(last.ids):
                try:
                    done = apply_undo(app, self.host.stores, Choice(run), override_brake=True)
                except NotFoundError:
                    continue  # this profile wrote nothing
                failed = [result.failed for _, result in done if result.failed]
                assert not failed, failed
        found = self.lists()
        for title, items in now.items():
            for item, values in items.items():
                before, after = last.before[title].get(item), last.after[title].get(item)
                if before is None and after is not None:
                    continue  # made by one profile of the run, and filled by others
                wanted = values if before is None or after is None else _set_back(before, after, values)
                is_ = found[title][item]
                if title == "Companies":
                    wanted = _without_taken(wanted, is_, found[title])
                wrong = {name: (values[name], one, is_[name]) for name, one in wanted.items() if is_[name] != one}
                assert not wrong, f"{title} {item}, as it was, should be and is: {wrong}"

    def compares(self, typed: Mapping[tuple[str, str], str]) -> None:
        """The worker's own comparison names each of these: kind and key -> column."""
        with self.open() as app:
            report = reconcile(app)
        named = {(one.kind, one.key, one.column) for one in report.differences}
        wanted = {(kind, key, column) for (kind, key), column in typed.items()}
        assert wanted <= named, wanted - named

    # What must be true.

    def passes(self, minutes: float) -> None:
        """Time."""
        self.world.clock.moment += timedelta(minutes=minutes)

    def comes_to_rest(self, minutes: int = 90) -> None:
        """Nobody disturbs: requests are done, people answer, a run comes; afterwards everything must be right."""
        self.passes(minutes)
        self.host.engine.tick()
        self.works()
        with self.open() as app:
            creator = app.creator()
            while creator.poll():
                pass
        self._people_answer()
        result = self.runs()
        assert result.error is None, result.error
        for report in result.reports:
            assert report.status in (RunStatus.SUCCEEDED, RunStatus.WITH_ERRORS), report
        self.is_right()

    def _people_answer(self) -> None:
        """Yes or no to everything they are asked, as it is in truth."""
        decisions = DecisionBook(self.host.stores.records, "default")
        book = RenumberBook(self.host.stores.records, "default")
        with self.open() as app:
            assistant = app.link_assistant()
            found = assistant.suggestions(decisions.read().refused, book.said())
            for move in found.moves:
                old, new = int(move.old.number), int(move.new.number)
                same = self.parties.is_theirs(self.companies()[old], new)
                assert same or not move.certain, f"{old} is certainly {new}, and is not"
                if not move.certain:
                    if same:
                        book.accept(old, move.new)
                    else:
                        book.refuse(old, new)
            for match in found.matches:
                pairs = [(match.company.item_id, one.number) for one in match.candidates]
                yes = [pair for pair in pairs if self.parties.is_theirs(*pair)]
                decisions.refuse([pair for pair in pairs if pair not in yes])
                links = [Link(item, number, match.company.version) for item, number in yes]
                assert not [one for one in assistant.accept(links) if one.problem]

    def _ledgers_are_exact(self, before: Mapping[str, int], reports: Sequence[RunReport]) -> None:
        """Each source row has one outcome, and each list saw the writes that the ledgers say and no others."""
        told: Counter[str] = Counter()
        for report in reports:
            assert report.ledger.balances, report
            told[_LIST_OF[report.profile]] += _written(report.ledger)
        seen = {title: count - before[title] for title, count in self._writes().items()}
        assert seen == {title: told[title] for title in before}, (seen, told)

    def _writes(self) -> dict[str, int]:
        """Writes that each list ever saw."""
        store = self.world.sharepoint_store
        with store.lock:
            lists = {title: store.list_by_title(title) for title in DATA_LISTS}
            return {title: sum(item.version for item in store.items(one)) for title, one in lists.items() if one}

    def _requests_that_write(self) -> dict[str, int]:
        """As the emulator has counted them, by list."""
        total = self.world.control("sharepoint", "stats")["total"]["by_target"]
        return {title: total[title]["writes"] for title in DATA_LISTS if title in total}

    def is_right(self) -> None:
        """Both systems say the same, each in its own part; and to do it once more changes nothing."""
        found = [one.text for one in differences(self.world)]
        assert not found, found
        self._requests_were_granted()
        mistaken = list(self.parties.mistaken(self.companies()))
        assert not mistaken, mistaken
        self._reconciled()
        self._once_more_writes_nothing()

    def _once_more_writes_nothing(self) -> None:
        requests, lists = self._requests_that_write(), self.world.truth()
        result = self.runs()
        assert self._requests_that_write() == requests, "an unchanged re-run writes nothing"
        assert self.world.truth() == lists
        in_scope = rows_in_scope(self.world)
        for report in result.reports:
            ledger = report.ledger
            assert not _written(ledger), report
            assert ledger.unchanged + ledger.failed == in_scope.get(report.profile, ledger.unchanged), report
            assert ledger.unchanged, report

    def _reconciled(self) -> None:
        """The worker's own comparison says so too. Of customers that are gone it tells the statistics that stay."""
        with self.open() as app:
            report = reconcile(app)
        gone = {str(number) for number in self.companies().keys() - set(self.numbers())}
        left = [one for one in report.missing if one.kind == "statistics row" and one.key.split("|")[0] in gone]
        missing = [one for one in report.missing if one not in left]
        sums = [one for one in report.sums if not one.agrees and not (left and one.name.startswith("Sales statistics"))]
        found = [*missing, *report.doubles, *report.differences, *sums]
        assert not found, found

    def _requests_were_granted(self) -> None:
        """One customer for each new CVR number that was asked for, and none for what was there; said in the items."""
        companies = {row["Id"]: row for row in self.world.rows("Companies")}
        groups: dict[str, list[Asked]] = {}
        for one in self.asked:
            groups.setdefault(one.cvr or one.name, []).append(one)
        for asked in groups.values():
            states = Counter(companies[one.item]["CreateInEconomic"] for one in asked)
            new = any(one.new for one in asked)
            wanted = Counter({State.CREATED: 1} if new else {}) + Counter({State.FAILED: len(asked) - new})
            assert states == wanted, asked
            for one in asked:
                row = companies[one.item]
                assert bool(row["CustomerID"]) == (row["CreateInEconomic"] == State.CREATED), row
                assert not row["CreateClaim"]
                if row["CustomerID"] and one.item not in self.parties.company.values():
                    self.parties.of[int(row["CustomerID"])] = one.name
                    self.parties.company[one.name] = one.item

    def nothing_is_lost_or_doubled(self) -> None:
        """True at any moment."""
        rows = {title: {row["Id"]: row for row in self.world.rows(title)} for title in DATA_LISTS}
        for title, items in rows.items():
            counts = Counter(row[KEYS[title]] for row in items.values() if row[KEYS[title]])
            doubled = [key for key, count in counts.items() if count > 1]
            assert not doubled, (title, doubled)
            assert self._items[title] <= items.keys(), "nothing is deleted"
            self._items[title] |= items.keys()
        standing = {(title, item, column): rows[title][item][column] for title, item, column in self.typed}
        lost = {where: (text, standing[where]) for where, text in self.typed.items() if standing[where] != text}
        assert not lost, lost
        assert self._twice(cvr_of) == self._cvrs, "no CVR number became a second customer's"
        assert not [name for name in self._twice(lambda one: str(one["name"])) if name.startswith("Wanted")]

    def _twice(self, mark: Callable[[dict[str, Any]], str]) -> set[str]:
        counts = Counter(map(mark, self.customers()))
        return {one for one, count in counts.items() if one and count > 1}


def _without_taken(
    wanted: Mapping[str, Any], is_: Mapping[str, Any], rows: Mapping[int, Mapping[str, Any]]
) -> dict[str, Any]:
    """A number that e-conomic gave to somebody else stays with the company that carries it by now."""
    names = ("CustomerID", "ImportID")
    taken = {name for name in names if is_[name] is None and any(row[name] == wanted[name] for row in rows.values())}
    return {**wanted, **dict.fromkeys(taken)}


def _set_back(before: Mapping[str, Any], after: Mapping[str, Any], now: Mapping[str, Any]) -> dict[str, Any]:
    """What the run wrote and stands still is as before; all else as it is now."""
    return {name: before[name] if now[name] == after[name] else now[name] for name in now}


def _written(ledger: Ledger) -> int:
    return ledger.created + ledger.updated + ledger.flagged


def die() -> None:
    raise Killed
