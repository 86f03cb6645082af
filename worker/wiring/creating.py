"""Creating customers from commands, messages and ticks: one at a time at a connection.

Two companies of the same CVR number that are asked for at once must not both miss each other in e-conomic's search.
Whoever looks finds those that were asked for on the page in the store (see `wanted`), and the others by their state
column, which costs one request. A claim in an item whose column somebody cleared is not found that way: once a day all
companies are read for such.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from worker.errors import AuthenticationError, BusyError, RetriableError, WorkerError
from worker.ports import Leases, Stores
from worker.sync.creating import Made
from worker.wiring.app import App
from worker.wiring.fired import FiredBook
from worker.wiring.holding import held
from worker.wiring.hooks import Subscriber
from worker.wiring.wanted import WantedBook, answer_of, refused

_DAILY = "40 4 * * *"
_MOST = 5  # of the page's, in one look


@contextmanager
def creating(leases: Leases, connection: str) -> Iterator[None]:
    """Held while customers of a connection are made. Raises BusyError when another process does."""
    refusal = BusyError("Customers of this connection are being created by another worker.", hint="Try again.")
    with held(leases, f"create-{connection}", refusal):
        yield


def create_waiting(app: App, stores: Stores, subscriber: Subscriber) -> int:
    """A few companies, and how many were worked; the next look goes on. Renews the list's subscription on the way,
    whatever became of the companies, where creating is allowed. Raises BusyError, and what `Creator.poll` raises."""
    name = app.settings.name
    with creating(stores.leases, name):
        worked, failures = 0, list[WorkerError]()
        for look in (_asked_on_page, _asked_in_list):
            try:
                worked += look(app, stores)
            except WorkerError as error:
                failures.append(error)
        if app.settings.create.allow and subscriber.is_due(name):
            subscriber.ensure(app)
        if failures:
            raise failures[-1]
        return worked


def _asked_on_page(app: App, stores: Stores) -> int:
    """What may pass, and tokens that somebody must renew, leave a company waiting; the last such error is raised at the
    end. Anything else is its answer."""
    book, now = WantedBook(stores.records, app.settings.name), app.clock.now
    taken, failures = book.read().wanted[:_MOST], list[WorkerError]()
    for one in taken:
        if app.stop.is_set():
            break
        try:
            made = app.creator().create(one.item_id, anyway=one.anyway)
        except (RetriableError, AuthenticationError) as error:
            book.waits(one, error)
            failures.append(error)
        except WorkerError as error:
            book.over(one, refused(one, error, now()))
        else:
            if made.state:
                book.over(one, answer_of(made, now()))
            else:
                book.waits(one)  # somebody saved the company meanwhile: the next look goes on
    if failures:
        raise failures[-1]
    return len(taken)


def _asked_in_list(app: App, stores: Stores) -> int:
    creator, zone = app.creator(), app.settings.sync.time_zone
    swept = []
    book = FiredBook(stores.records, app.settings.name)
    if moment := book.due("claims", _DAILY, zone, app.clock.now()):
        book.sent("claims", moment)
        swept = creator.sweep()
    return len(swept) + len(creator.poll())


def create_alone(app: App, stores: Stores, item_id: int, *, number: int | None = None, anyway: bool = False) -> Made:
    """One company, now. Raises BusyError, and what `Creator.create` raises."""
    with creating(stores.leases, app.settings.name):
        return app.creator().create(item_id, number=number, anyway=anyway)
