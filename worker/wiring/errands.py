"""Errands over real connections."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime

from worker.domain.existing import key_text
from worker.domain.render.values import some
from worker.domain.renumbering import earlier_numbers
from worker.domain.report import Trigger
from worker.domain.schedule import check_schedule
from worker.domain.values import TargetKind
from worker.economic.few_customers import FewCustomers
from worker.engine.errands import SCHEDULED, Due, Errand
from worker.engine.hints import Done, HintBook, Pending, chosen
from worker.errors import BusyError, ConfigError, FatalError, LeaseLostError, Problem, RetriableError, WorkerError
from worker.ports import Alert, Alerts, Clock, StopSignal, Stores
from worker.settings import SyncSettings
from worker.sync.live import MOST, LiveResult, sync_customers
from worker.sync.sending import Conflict
from worker.wiring.app import App
from worker.wiring.creating import create_waiting
from worker.wiring.digest import send_digest
from worker.wiring.earlier import beside, customers_beside
from worker.wiring.fired import FiredBook
from worker.wiring.hooks import Subscriber
from worker.wiring.live_told import done_of
from worker.wiring.looking import Looks
from worker.wiring.opening import Connections
from worker.wiring.reconciling import AskedBook, StartedBy, reconcile_and_keep, summary
from worker.wiring.sending import send_by_itself
from worker.wiring.wanted import WantedBook, refused

log = logging.getLogger(__name__)
_PATIENCE = 20.0  # seconds for one call; the next tick comes anyway
_INVOICES = 20  # asked for in one go
_RENUMBERED = 50  # looked at in one go
# Errands that nobody waits for: people hear when they can't be worked.
_TITLES: Mapping[Errand, str] = {
    Errand.RECONCILE: "e-conomic sync: the two systems could not be compared",
    Errand.DIGEST: "e-conomic sync: the account managers' news could not be made",
    Errand.SEND: "e-conomic sync: what the CRM owns could not be sent to e-conomic",
}


class WiredErrands:
    """Implements engine.errands.Errands."""

    def __init__(
        self, stores: Stores, connections: Connections, subscriber: Subscriber, clock: Clock, alerts: Alerts
    ) -> None:
        self._alerts = alerts
        self._stores = stores
        self._connections = connections
        self._subscriber = subscriber
        self._clock = clock
        self._looks = Looks(connections)

    def creates(self, connection: str) -> bool:
        """Whether the connection's settings allow it; wrong settings allow nothing."""
        try:
            return self._connections.live.of(connection).create.allow
        except WorkerError:
            return False

    def create(self, connection: str, stop: StopSignal) -> None:
        """A few at a time; the next look goes on. Renews the list's subscription on the way. Wrong settings are the
        tick's own to tell. Raises BusyError when another process is at it."""
        try:
            settings = self._connections.live.of(connection)
        except WorkerError:
            return
        wanted = bool(WantedBook(self._stores.records, connection).read().wanted)
        if not wanted and self._looks.rests(connection, settings):
            return
        with self._looks.app(connection, settings, stop) as look:
            if not (wanted or settings.create.allow or look.can_be_asked()):
                self._looks.rest(connection, settings)
                return
            look.found = create_waiting(look.app, self._stores, self._subscriber) > 0

    def forget(self, connection: str) -> None:
        """Something about the connection or its lists was changed."""
        self._looks.forget(connection)

    def due(self, connection: str, errand: Errand, now: datetime) -> Due | None:
        """By the connection's settings. A schedule that is seen for the first time waits for its next moment. One that
        is none is told by an alert, once."""
        try:
            sync = self._connections.live.of(connection).sync
        except WorkerError:
            return None
        schedule, book = _schedule(sync, errand), FiredBook(self._stores.records, connection)
        error = _wrong(sync, errand)
        if error is None:
            moment = "" if schedule == "off" else book.due(errand, schedule, sync.time_zone, now)
            return Due(errand, moment) if moment else None
        if book.is_news(errand, schedule, sync.time_zone, now):
            title = f"e-conomic sync: a schedule can't be used ({connection})"
            self._alerts.send(Alert(title, error.told, "error", connection))
        raise error

    def wrong_schedules(self, connection: str) -> list[ConfigError]:
        """Schedules of errands that can't be used, for a page. Raises ConfigError for wrong settings."""
        sync = self._connections.live.of(connection).sync
        return [error for errand in SCHEDULED if (error := _wrong(sync, errand)) is not None]

    def sent(self, connection: str, due: Due) -> None:
        """Noted in the store."""
        FiredBook(self._stores.records, connection).sent(due.errand, due.moment)

    def is_done(self, connection: str, due: Due) -> bool:
        """By the store."""
        return FiredBook(self._stores.records, connection).is_done(due.errand, due.moment)

    def done(self, connection: str, due: Due) -> None:
        """Noted in the store."""
        FiredBook(self._stores.records, connection).done(due.errand, due.moment)

    def failing(self, connection: str, due: Due, reason: WorkerError) -> None:
        """A comparison, with the first failure: a service that is down for days must not keep it quiet. News have a
        retry of their own, for cards that were not taken."""
        book = FiredBook(self._stores.records, connection)
        if due.errand is Errand.RECONCILE and not book.is_told(due.errand, due.moment):
            text = f"{reason.told} It is tried again by itself until it succeeds."
            if self._tell(connection, due.errand, text):
                book.told(due.errand, due.moment)

    def buried(self, connection: str, errand: Errand) -> None:
        """Nobody looks at an errand's log."""
        if errand in _TITLES:
            self._tell(connection, errand, "It failed several times for an unexpected reason. Look at the log.")
        if errand is Errand.RECONCILE and (book := AskedBook(self._stores.records, connection)).read().at:
            book.over("It failed several times for an unexpected reason. Look at the log.")
        if errand is Errand.CREATE:
            self._give_up_wanted(connection)

    def _give_up_wanted(self, connection: str) -> None:
        """Whoever asked on the page reads that nobody could; a claim that was taken is still honoured by each look."""
        book = WantedBook(self._stores.records, connection)
        error = FatalError("It failed several times for an unexpected reason.", hint="Look at the log, then ask again.")
        for one in book.read().wanted:
            book.over(one, refused(one, error, self._clock.now()))

    def _tell(self, connection: str, errand: Errand, text: str) -> bool:
        return self._alerts.send(Alert(f"{_TITLES[errand]} ({connection})", text, "error", connection))

    def reconcile(self, connection: str, stop: StopSignal, *, asked: bool) -> None:
        """A difference is told; so is a comparison that could not be made. Who asked for one reads both on the page."""
        if asked:
            self._compare_as_asked(connection, stop)
            return
        with self._telling(connection, Errand.RECONCILE), self._connections.app(connection, stop=stop) as app:
            report = reconcile_and_keep(app, self._stores.records, StartedBy.TIMER)
        if not report.agrees:
            link = f"{self._subscriber.public}/manage/reconcile/{connection}" if self._subscriber.public else ""
            title = f"e-conomic sync: the two systems differ ({connection})"
            self._alerts.send(Alert(title, summary(report), "warning", connection, link=link))

    def _compare_as_asked(self, connection: str, stop: StopSignal) -> None:
        book = AskedBook(self._stores.records, connection)
        try:
            with self._connections.app(connection, stop=stop) as app:
                reconcile_and_keep(app, self._stores.records, StartedBy.CONSOLE)
        except (BusyError, LeaseLostError):
            raise
        except RetriableError as error:
            book.waits(error.told)
            raise
        except WorkerError as error:
            book.over(error.told)
            raise
        book.over()

    def digest(self, connection: str, stop: StopSignal) -> None:
        """One alert for each account manager who has news; one for everybody when the lists could not be read."""
        with self._telling(connection, Errand.DIGEST), self._connections.app(connection, stop=stop) as app:
            send_digest(app, self._stores.records, self._alerts)

    def sends(self, connection: str) -> bool:
        """By the connection's settings; wrong settings send nothing."""
        try:
            return bool(self._connections.live.of(connection).create.send)
        except WorkerError:
            return False

    def send(self, connection: str, stop: StopSignal) -> None:
        """What a person must settle is told once, not each night. Raises LeaseLostError when it was stopped: the rest
        comes again."""
        if not self.sends(connection):
            return
        with self._telling(connection, Errand.SEND), self._connections.app(connection, stop=stop) as app:
            result, news = send_by_itself(app, self._stores.records)
        self._tell_conflicts(connection, news)
        if result.stopped:
            raise LeaseLostError("Sending was stopped.")

    def _tell_conflicts(self, connection: str, news: Collection[Conflict]) -> None:
        if news:
            link = f"{self._subscriber.public}/manage/create/{connection}" if self._subscriber.public else ""
            title = f"e-conomic sync: values could not be sent to e-conomic ({connection})"
            text = f"{some(len(news), 'value')} of the CRM must be settled by a person: see the page New customers."
            self._alerts.send(Alert(title, text, "warning", connection, link=link))

    @contextmanager
    def _telling(self, connection: str, errand: Errand) -> Iterator[None]:
        """An alert for what fails for good: nobody looks at an errand's log. What may pass comes again."""
        try:
            yield
        except (RetriableError, BusyError, LeaseLostError):
            raise
        except WorkerError as error:
            self._tell(connection, errand, error.told)
            raise

    def live(self, connection: str, stop: StopSignal) -> bool:
        """Takes up to MOST customers. What may pass is noted and raised, and leaves the hints; anything else settles
        them, since the night will look at all customers anyway."""
        book, now = HintBook(self._stores.records, connection), self._clock.now()
        book.forget(now)
        pending = book.read()
        taken = chosen(pending, MOST, _INVOICES)
        if not taken.waits:
            return False
        numbers = tuple(map(int, taken.customers))
        try:
            with self._connections.app(connection, stop=stop, patience=_PATIENCE) as app:
                result = live_sync(app, _numbers(app, taken))
                numbers = result.numbers
                _raise_what_may_pass(result)
                vanished = _vanished(app, pending.renumbered)
        except (BusyError, LeaseLostError):
            raise
        except RetriableError as error:
            log.warning("live sync interrupted connection=%s reason=%s", connection, error)
            book.fail(taken, Done(now.isoformat(), len(numbers), problem=error.message, numbers=numbers))
            raise
        except WorkerError as error:
            return book.settle(taken, Done(now.isoformat(), len(numbers), problem=error.message, numbers=numbers))
        return book.settle(taken, done_of(result, now), vanished)


def _schedule(sync: SyncSettings, errand: Errand) -> str:
    return sync.reconcile_schedule if errand is Errand.RECONCILE else sync.digest_schedule


def _wrong(sync: SyncSettings, errand: Errand) -> ConfigError | None:
    """Why an errand's schedule can't be used; None when it can, or is off."""
    schedule = _schedule(sync, errand)
    problem = None if schedule == "off" else check_schedule(schedule, sync.time_zone)
    if problem is None:
        return None
    return ConfigError([Problem(f"SYNC_{errand.upper()}_SCHEDULE", problem)], hint="Write it like 0 5 * * 0, or off.")


def _raise_what_may_pass(result: LiveResult) -> None:
    """Such a go is not over. Raises RetriableError, or LeaseLostError when it was stopped."""
    if isinstance(result.session.error, RetriableError | LeaseLostError):
        raise result.session.error
    if result.session.stopped:
        raise LeaseLostError("The live sync was stopped.")


def _vanished(app: App, renumbered: Mapping[str, int]) -> dict[str, int]:
    """Renumberings of which no company has the old number any more, nor one that became it: nothing is left to do about
    them. The oldest few are looked at, and those that stay are seldom: they wait for a person."""
    pairs = dict(list(renumbered.items())[:_RENUMBERED])
    target = app.site.view_of(TargetKind.COMPANY, ("CustomerID",)) if pairs else None
    if target is None or not target.columns:
        return {}
    earlier = {old: {old, *before} for old, before in earlier_numbers(pairs, app.said()).items()}
    looked_for = sorted(set().union(*earlier.values()))
    carried = {key_text(item.values["CustomerID"]) for item in target.find("CustomerID", looked_for, ["CustomerID"])}
    return {old: new for old, new in pairs.items() if not earlier[old] & carried}


def live_sync(app: App, numbers: list[int]) -> LiveResult:
    """These customers, through all enabled profiles that can. At most MOST. Raises FatalError when too many others hang
    together with them by changed numbers."""
    profiles = [row.profile for row in app.profiles.profiles() if row.profile is not None and row.profile.enabled]
    more = beside(app, profiles, numbers)
    numbers = customers_beside(numbers, more)
    source = FewCustomers(app.source, numbers)
    options = app.run_options(trigger=Trigger.WEBHOOK)
    return sync_customers(app.world(), source, profiles, options, numbers, more)


def _numbers(app: App, taken: Pending) -> list[int]:
    """Customers named, and those of the invoices named; an invoice e-conomic does not have is nobody's."""
    numbers = {int(number) for number in taken.customers}
    for number in taken.invoices:
        invoice = app.source.invoice(int(number))
        if invoice is not None:
            numbers.add(invoice.customer_number)
    return sorted(numbers)
