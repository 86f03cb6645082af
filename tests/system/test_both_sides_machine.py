"""Random lives of both systems: people work in either, time passes, the worker is well, disturbed or killed.

What people do is in `tests.support.people`; the worker, what it does not yet do right, and what must be true are in
`tests.support.lives`. At any moment nothing that people own is lost and nothing is doubled; after each rest both
systems say the same, each in its own part, and one more run writes nothing.

The steps are dealt like cards: in each story every one comes once, in an order of its own. The first story hypothesis
tells is the simplest, the deck as it lies with the first choice of each step, so that comes first which tells most.
Rules that are drawn one by one were refused: few stories would leave many of them out.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from tests.support.lives import HIDDEN, KEYS, NOT_YET, Doing, Lives, Order, Side, die
from tests.support.people import OneByOne, cvr_of
from tests.support.world import World

AT = st.integers(0, 50)
DOING = st.sampled_from(["run", "live", "night", "create"])
YES_NO = st.booleans()
FAULTS = {
    "economic": "500 503 429 429-no-retry-after cut html truncated-json revoked",
    "sharepoint": "part-429 429 503 503-no-retry-after part-503 500-after-commit cut html truncated-batch "
    "expired-token",
}
UNWELL = [(side, fault) for side, faults in FAULTS.items() for fault in faults.split()]
LOST = st.sampled_from(["cut", "500-after-commit", "html", "truncated-batch"])
OWN = [("Companies", "CompanyType"), ("Contacts", "JobTitle"), ("Invoices", "PaidSeenOn"), ("Contacts", "Mobile")]
THEIRS = [("Companies", "City"), ("Contacts", "Title"), ("Invoices", "Remainder"), ("Companies", "Balance")]
WORDS: dict[str, tuple[Any, ...]] = {
    "CompanyType": ("Partner", "Supplier", "Other"),
    "PaidSeenOn": ("2026-01-05T12:00:00Z", "2026-01-06T12:00:00Z"),
    "Balance": (1, 2),
    "Remainder": (1, 2),
    "NetAmount": (1, 2),
    "NetSales": (1, 2),
}
NEW = st.sampled_from(["without CVR", "new"])
MADE = ("economic", 1)  # the customer; ("sharepoint", 1) is the claim, ("sharepoint", 2) the number
POINTS = st.sampled_from([("sharepoint", 1), ("sharepoint", 2), MADE])
PROFILES = st.sampled_from(
    ["Contacts", "Customers", "Invoices", "Balances", "Sales history", "Sales statistics by period"]
)
REST_AFTER = 4  # steps, at the latest

STEPS: dict[str, st.SearchStrategy[dict[str, Any]]] = {}  # in the order they are written


def step(**draws: st.SearchStrategy[Any]) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """A card of the deck."""

    def made(function: Callable[..., None]) -> Callable[..., None]:
        STEPS[function.__name__] = st.fixed_dictionaries(draws)
        return function

    return made


class BothSides(RuleBasedStateMachine):
    """One agreement, one site, one worker that is not always well."""

    world: ClassVar[World]

    def __init__(self) -> None:
        super().__init__()
        self.lives = Lives(self.world)
        self.deck: Sequence[str] = ()
        self.dealt = 0
        self.since_rest = 0

    @initialize(deck=st.deferred(lambda: st.permutations([name for name in STEPS if name not in NOT_YET])))
    def is_shuffled(self, deck: Sequence[str]) -> None:
        self.deck = deck

    @rule(data=st.data())
    def goes_on(self, data: st.DataObject) -> None:
        if self.since_rest >= REST_AFTER:
            self._rest(data.draw(st.sampled_from([90, 4, 30, 60 * 24]), label="both come to rest, after minutes"))
        name = self.deck[self.dealt % len(self.deck)]
        drawn = data.draw(STEPS[name], label=name)
        self.dealt += 1
        self.since_rest += 1
        getattr(self, name)(**drawn)

    @invariant()
    def nothing_is_lost_or_doubled(self) -> None:
        self.lives.nothing_is_lost_or_doubled()

    def teardown(self) -> None:
        """Each life ends at rest."""
        if self.since_rest:
            self._rest(90)

    def _rest(self, minutes: int) -> None:
        self.since_rest = 0
        self.lives.comes_to_rest(minutes)

    # Whom a step is about; not always the first, if each draws the same.

    def _of(self, at: int, many: Sequence[Any]) -> Any:
        return many[(at + self.dealt) % len(many)]

    def _one(self, at: int, numbers: Sequence[int] | None = None) -> int | None:
        """A customer of whom we know who it is, and whose company carries the number."""
        there = self.lives.companies()
        known = [one for one in self.lives.parties.known() if one in there and (numbers is None or one in numbers)]
        return self._of(at, known) if known else None

    def _with_contacts(self) -> list[int]:
        return [contact["customer"] for contact in self.lives.contacts()]

    def _with_cvr(self) -> list[int]:
        return [one["customerNumber"] for one in self.lives.customers() if cvr_of(one)]

    def _with_zip_and_no_cvr(self) -> list[int]:
        """Nor a name that somebody just typed over: no other sign would be left."""
        named = {(row["CustomerID"], " ".join(row["Title"].split())) for row in self.world.rows("Companies")}
        return [
            one["customerNumber"]
            for one in self.lives.customers()
            if not cvr_of(one)
            and one.get("zip")
            and (str(one["customerNumber"]), " ".join(one["name"].split())) in named
        ]

    def _may_vanish(self) -> list[int]:
        """Nobody asks for it, and its number is not the next one to be given."""
        known = [number for number in self.lives.parties.known() if number < max(self.lives.numbers())]
        return [number for number in known if not self.lives.is_asked_for(number)]

    def _word(self, text: str) -> str:
        self.lives.made += 1
        return f"{text} {self.lives.made}"

    def _types(self, at: int, title: str, column: str, *, own: bool) -> str:
        """Into a row that e-conomic has too, if the column is not people's own; the row's key."""
        rows = self.world.rows(title) if own else self._rows_of_both(title)
        row = self._of(at, rows)
        words = WORDS.get(column) or (self._word("Typed"),)
        self.lives.types(title, row["Id"], column, self._of(at, words), own=own)
        return str(row[KEYS[title]])

    def _rows_of_both(self, title: str) -> list[dict[str, Any]]:
        customers = {str(number) for number in self.lives.parties.known()}
        contacts = {f"{one['customer']}-{one['number']}" for one in self.lives.contacts()}
        rows = self.world.rows(title)
        if title == "Contacts":
            return [row for row in rows if row["ImportID"] in contacts]
        return [row for row in rows if row["CustomerID"] in customers]

    # People in e-conomic.

    @step(at=AT, what=st.sampled_from(["name", "city", "barred", "email"]))
    def economic_changes_a_customer(self, at: int, what: str) -> None:
        """A name only where the CVR number still tells who it is."""
        number = self._one(at, self._with_cvr())
        if number is not None:
            values = {"barred": at % 2 == 0, "email": f"to{at}@example.com"}
            self.lives.changes(number, **{what: values[what] if what in values else self._word("Changed")})

    @step(at=AT, pays=YES_NO)
    def economic_books_or_is_paid(self, at: int, pays: bool) -> None:
        number = self._one(at)
        if pays or number is None:
            self.lives.pays(at + self.dealt)
        else:
            self.lives.books(number)

    @step(at=AT, what=st.sampled_from(["moves", "comes", "is renamed"]))
    def economic_changes_a_contact(self, at: int, what: str) -> None:
        contact = self._of(at, self.lives.contacts())
        other = self._one(at, [one for one in self.lives.parties.known() if one != contact["customer"]])
        match what:
            case "moves" if other is not None:
                self.lives.changes_contact(contact, customer=other)
            case "comes":
                self.lives.adds_contact(contact["customer"])
            case _:
                self.lives.changes_contact(contact, self._word("Renamed"))

    @step(at=AT)
    def economic_loses_a_contact(self, at: int) -> None:
        if len(contacts := self.lives.contacts()) > 6:
            self.lives.removes_contact(self._of(at, contacts))

    @step(at=AT, then=st.sampled_from(["works", "calls", "nothing"]))
    def economic_renumbers(self, at: int, then: str) -> None:
        """One that has contacts."""
        self._renumbers(at, self._with_contacts(), then)

    @step(at=AT, then=st.sampled_from(["nothing", "works"]))
    def economic_renumbers_without_cvr(self, at: int, then: str) -> None:
        """Not where the name alone would tell who it is: that is believed of nobody."""
        self._renumbers(at, self._with_zip_and_no_cvr(), then)

    def _renumbers(self, at: int, numbers: Sequence[int], then: str) -> None:
        if (number := self._one(at, numbers)) is None:
            return
        self.lives.renumbers(number)
        if then != "nothing":
            self.lives.calls()
        if then == "works":
            self.lives.works_what_was_told()

    @step(at=AT, write=st.integers(1, 4))
    def a_renumbering_is_interrupted(self, at: int, write: int) -> None:
        """The company carries the new number already, its rows do not."""
        self._is_interrupted(self._one(at, [one for one in self._with_contacts() if one in self._with_cvr()]), write)

    @step(at=AT, write=st.integers(1, 4))
    def a_number_is_given_away_while_its_rows_are_on_their_way(self, at: int, write: int) -> None:
        """Before the next run comes."""
        free = [one for one in self._with_contacts() if one in self._with_cvr() and not self.lives.is_asked_for(one)]
        if new := self._is_interrupted(self._one(at, free), write):
            self.lives.gives_number_away(new)

    def _is_interrupted(self, number: int | None, write: int) -> int:
        """The new number; 0 when there is nobody."""
        if number is None:
            return 0
        new = self.lives.renumbers(number)
        if self.lives.dies("run", "sharepoint", saying=str(new)):
            self.lives.dies("run", "sharepoint", write)
        return new

    @step(at=AT)
    def a_renumbered_customer_is_seen_alone(self, at: int) -> None:
        """A call names its new number, and none the old one."""
        self._is_seen_alone(at, self._with_cvr())

    @step(at=AT)
    def a_renumbered_customer_without_cvr_is_seen_alone(self, at: int) -> None:
        self._is_seen_alone(at, self._with_zip_and_no_cvr())

    def _is_seen_alone(self, at: int, numbers: Sequence[int]) -> None:
        if (number := self._one(at, numbers)) is not None:
            new = self.lives.renumbers(number)
            self.lives.calls("lost")
            self.lives.books(new)
            self.lives.calls()
            self.lives.works_what_was_told()

    @step(at=AT)
    def economic_swaps_two_numbers(self, at: int) -> None:
        numbers = [number for number in self.lives.parties.known() if number in self._with_cvr()]
        self.lives.swaps_numbers(self._of(at, numbers), self._of(at + 1, numbers))

    @step(at=AT)
    def economic_moves_numbers_on(self, at: int) -> None:
        numbers = [number for number in self.lives.parties.known() if number in self._with_cvr()]
        first, second = self._of(at, numbers), self._of(at + 1, numbers)
        self.lives.renumbers(second)
        self.lives.renumbers(first, second)

    @step(at=AT)
    def economic_gives_a_number_to_somebody_else(self, at: int) -> None:
        free = [number for number in self._with_cvr() if not self.lives.is_asked_for(number)]
        if (number := self._one(at, free)) is not None:
            self.lives.gives_number_away(number)

    @step(at=AT, told=YES_NO)
    def a_customer_vanishes(self, at: int, told: bool) -> None:
        if (number := self._one(at, self._may_vanish())) is not None and len(self.lives.parties.away) < 2:
            self.lives.vanishes(number, told=told)

    @step(at=AT, told=YES_NO)
    def a_customer_is_away_for_a_night(self, at: int, told: bool) -> None:
        """Flagged meanwhile, with its contacts."""
        numbers = self._may_vanish()
        number = self._one(at, [one for one in self._with_contacts() if one in numbers])
        if number is None:
            return
        self.lives.vanishes(number, told=told)
        if self.lives.runs().error is None:
            assert self.lives.company(number)["ERPStatus"] == "Missing in ERP"
        self.lives.comes_back(number)

    @step(at=AT)
    def a_customer_comes_back(self, at: int) -> None:
        if away := sorted(self.lives.parties.away):
            self.lives.comes_back(self._of(at, away))

    @step(typed=st.sampled_from(["same", "apart", ""]))
    def economic_gets_a_customer(self, typed: Any) -> None:
        """Nobody has answered whether it is the company that people typed when the run comes."""
        self.lives.makes_customer(typed)
        self.lives.runs()

    # People in the CRM.

    @step(at=AT, where=st.sampled_from(OWN))
    def crm_edits_its_own(self, at: int, where: tuple[str, str]) -> None:
        self._types(at, *where, own=True)

    @step(at=AT, where=st.sampled_from(THEIRS))
    def crm_edits_what_is_economic_s(self, at: int, where: tuple[str, str]) -> None:
        self._types(at, *where, own=False)

    @step(kind=st.sampled_from(["existing", "new", "twin", "without CVR"]), at=AT)
    def crm_asks_for_a_customer(self, kind: Any, at: int) -> None:
        self.lives.asks(kind, at)

    @step(at=AT)
    def crm_asks_once_more(self, at: int) -> None:
        if self.lives.asked:
            self.world.merge("Companies", self._of(at, self.lives.asked).item, {"CreateInEconomic": "Requested"})

    # The worker, well.

    @step(minutes=st.sampled_from([70, 1, 30, 300, 60 * 24]), ticks=YES_NO)
    def time_passes(self, minutes: int, ticks: bool) -> None:
        self.lives.passes(minutes)
        if ticks:
            self.lives.host.engine.tick()
            self.lives.works()

    @step(at=AT, order=st.sampled_from(["as they come", "reversed", "twice", "lost"]))
    def webhooks_come(self, at: int, order: Order) -> None:
        """Of a booking and of a change."""
        if (number := self._one(at)) is not None:
            self.lives.books(number)
        if (other := self._one(at + 1)) is not None:
            self.lives.changes(other, city=self._word("Called"))
        self.lives.calls(order)
        self.lives.works_what_was_told()

    @step(at=AT)
    def webhooks_come_together(self, at: int) -> None:
        for number in {self._one(at), self._one(at + 1), self._one(at + 2)} - {None}:
            self.lives.changes(number, city=self._word("Together"))  # type: ignore[arg-type]
        self.lives.calls_together()
        self.lives.works_what_was_told()

    @step(title=PROFILES)
    def one_profile_runs(self, title: str) -> None:
        self.lives.runs(title)

    @step(at=AT)
    def one_customer_runs(self, at: int) -> None:
        if (number := self._one(at)) is not None:
            self.lives.changes(number, city=self._word("Alone"))
            self.lives.runs_customer(number)

    @step(at=AT, edits=st.sampled_from([True, False]))
    def a_run_is_undone(self, at: int, edits: bool) -> None:
        """After somebody typed over one of the values it wrote, or nobody did."""
        if (number := self._one(at)) is not None:
            self.lives.changes(number, city=self._word("Undone"), address=self._word("Undone"))
            self.lives.books(number)
            self.lives.runs()
            if edits:
                self.lives.types("Companies", self.lives.company(number)["Id"], "City", self._word("Typed"), own=False)
        self.lives.undoes()

    @step(at=AT)
    def both_are_compared(self, at: int) -> None:
        """Whatever else differs, the comparison names what was typed over."""
        kinds = {
            ("Companies", "Title"): "customer",
            ("Contacts", "Title"): "contact",
            ("Invoices", "NetAmount"): "invoice",
            ("Sales statistics", "NetSales"): "statistics row",
        }
        self._rest(4)
        typed = {(kind, self._types(at, *where, own=False)): where[1] for where, kind in kinds.items()}
        self.lives.compares(typed)

    @step(at=AT, works=YES_NO)
    def a_stranger_says_that_a_number_was_changed(self, at: int, works: bool) -> None:
        """One customer is gone and another one is new: told to be one, they are two."""
        if (old := self._one(at, self._may_vanish())) is None:
            return
        self.lives.vanishes(old)
        new = self.lives.makes_customer()
        self.lives.call({"event": "CUSTOMER_UPDATED", "old": str(old), "new": str(new)})
        if works:
            self.lives.works()

    # The worker, disturbed.

    @step(asks=NEW, other=st.sampled_from(["run", "live", "night"]), minutes=st.sampled_from([4, 70, 30, 1]))
    def a_creation_is_killed_once_the_customer_is_made(self, asks: Any, other: Doing, minutes: int) -> None:
        """Others work while it lies there; later somebody goes on with it."""
        self._creation_is_killed(asks, MADE, False, other, minutes)

    @step(asks=NEW, minutes=st.sampled_from([70, 4]))
    def a_creation_is_forgotten_for_long(self, asks: Any, minutes: int) -> None:
        self._creation_is_killed(asks, MADE, False, None, minutes)

    @step(asks=NEW, point=POINTS, before=YES_NO, other=DOING, minutes=st.sampled_from([4, 70, 30, 1]))
    def a_creation_is_killed(self, asks: Any, point: Any, before: bool, other: Doing, minutes: int) -> None:
        self._creation_is_killed(asks, point, before, other, minutes)

    def _creation_is_killed(self, asks: Any, point: Any, before: bool, other: Doing | None, minutes: int) -> None:
        self.lives.asks(asks)
        self.lives.dies("create", *point, before=before)
        if other is not None:
            self.lives.calls()
            self.lives.does(other)
        self.lives.passes(minutes)
        self.lives.does("create")

    @step(asks=NEW, point=POINTS, fault=st.sampled_from(["cut", "html"]), count=st.sampled_from([30, 1]))
    def an_answer_about_a_creation_is_lost(self, asks: Any, point: Any, fault: str, count: int) -> None:
        """Once, or each time it is asked again."""
        self.lives.asks(asks)
        self.lives.is_unwell("create", *point, fault, count)

    @step(asks=NEW, point=POINTS, before=YES_NO, other=DOING)
    def somebody_works_beside_a_creation(self, asks: Any, point: Any, before: bool, other: Doing) -> None:
        """Another worker, while the first one is in the middle of it."""
        self.lives.asks(asks)

        def works() -> None:
            self.lives.calls()
            self.lives.does(other)

        self.lives.meanwhile("create", point[0], works, point[1], before=before)

    @step(asks=NEW, point=POINTS, before=YES_NO)
    def somebody_saves_a_company_while_it_is_created(self, asks: Any, point: Any, before: bool) -> None:
        item = self.lives.asks(asks).item

        def saves() -> None:
            self.lives.types("Companies", item, "CompanyType", "Partner", own=True)

        self.lives.meanwhile("create", point[0], saves, point[1], before=before)

    @step(at=AT, doing=st.sampled_from(["night", "run"]), lives=st.integers(1, 4))
    def work_dies_again_and_again(self, at: int, doing: Doing, lives: int) -> None:
        """Each worker comes a little further than the one before."""
        if (number := self._one(at)) is None:
            return
        invoice = self.lives.books(number)
        self.lives.changes(number, city=self._word("Dying"))
        self.lives.dies(doing, "sharepoint", saying=str(invoice))
        for writes in range(lives, 0, -1):
            self.lives.passes(HIDDEN)
            self.lives.dies(doing, "sharepoint", writes)
        self.lives.passes(HIDDEN)
        self.lives.does(doing)

    @step(doing=DOING, side=st.sampled_from(["sharepoint", "economic"]), at=st.integers(1, 12), before=YES_NO,
          writes=YES_NO)  # fmt: skip
    def work_is_killed(self, doing: Doing, side: Side, at: int, before: bool, writes: bool) -> None:
        self.lives.calls()
        self.lives.meanwhile(doing, side, die, at, before=before, writes=writes)
        self.lives.passes(HIDDEN)

    @step(doing=DOING, where=st.sampled_from(UNWELL), at=st.integers(1, 12), count=st.sampled_from([1, 2, 30]))
    def a_service_is_unwell(self, doing: Doing, where: Any, at: int, count: int) -> None:
        self.lives.calls()
        self.lives.is_unwell(doing, where[0], at, where[1], count, writes=False)

    @step(at=AT, doing=st.sampled_from(["run", "night", "live"]), fault=LOST, count=st.sampled_from([1, 2]))
    def an_answer_about_an_invoice_is_lost(self, at: int, doing: Doing, fault: str, count: int) -> None:
        self._invoice_is_unwell(at, doing, fault, count)

    @step(at=AT, doing=st.sampled_from(["run", "night", "live"]), fault=st.sampled_from(["part-503", "part-429"]))
    def an_invoice_is_refused_for_long(self, at: int, doing: Doing, fault: str) -> None:
        self._invoice_is_unwell(at, doing, fault, 30)

    def _invoice_is_unwell(self, at: int, doing: Doing, fault: str, count: int) -> None:
        """The ledger is right nevertheless."""
        if (number := self._one(at)) is not None:
            invoice = self.lives.books(number)
            self.lives.calls()
            self.lives.is_unwell(doing, "sharepoint", 1, fault, count, saying=str(invoice), alone=True)

    @step(at=AT, doing=st.sampled_from(["run", "night", "live"]), own=st.sampled_from([True, False]))
    def somebody_saves_what_is_being_written(self, at: int, doing: Doing, own: bool) -> None:
        """What is theirs stays, what is e-conomic's is e-conomic's in the end."""
        if (number := self._one(at)) is None:
            return
        city, item = self._word("Written"), self.lives.companies()[number]
        self.lives.changes(number, city=city)
        self.lives.calls()

        def saves() -> None:
            self.lives.types("Companies", item, "CompanyType", "Supplier", own=True)
            if not own:
                self.lives.types("Companies", item, "City", self._word("Typed"), own=False)

        if self.lives.meanwhile(doing, "sharepoint", saves, saying=city):
            row = next(row for row in self.world.rows("Companies") if row["Id"] == item)
            assert row["City"] == city, row

    @step(at=AT, doing=st.sampled_from(["run", "night", "live"]))
    def somebody_says_when_an_invoice_was_paid(self, at: int, doing: Doing) -> None:
        """While the worker is about to say so itself."""
        paid = str(self.lives.pays(at + self.dealt))
        self.lives.calls()

        def says() -> None:
            for row in self.world.rows("Invoices"):
                if row["InvoiceNumber"] == paid:
                    self.lives.types("Invoices", row["Id"], "PaidSeenOn", "2026-01-05T12:00:00Z", own=True)

        self.lives.meanwhile(doing, "sharepoint", says, saying="PaidSeenOn")

    @step(at=AT, where=st.sampled_from(OWN), write=st.integers(1, 6), doing=DOING)
    def people_type_while_the_worker_works(self, at: int, where: Any, write: int, doing: Doing) -> None:
        self.lives.calls()
        self.lives.meanwhile(doing, "sharepoint", lambda: self._types(at, *where, own=True), write)

    @step(at=AT)
    def a_customer_changes_while_it_is_looked_at(self, at: int) -> None:
        """The call about it is no answer to what was read before."""
        number = self._one(at)
        if number is None or self.lives.host.engine.running("default") is not None:
            return
        first, second = self._word("First"), self._word("Second")
        self.lives.calls()
        self.lives.changes(number, city=first)
        self.lives.calls()

        def again() -> None:
            self.lives.passes(1 / 60)
            self.lives.changes(number, city=second)
            self.lives.calls()

        if self.lives.meanwhile("live", "sharepoint", again, saying=first):
            assert self.lives.company(number)["City"] == second


def told(stories: int) -> settings:
    """The same ones each time. A failure is printed as found: shrinking takes an hour."""
    return settings(
        max_examples=stories,
        stateful_step_count=len(STEPS) - len(NOT_YET.keys() & STEPS.keys()) + 1,  # one shuffles
        derandomize=True,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
    )


class _Long(BothSides):
    """Other lives: hypothesis tells them by the class's name and text."""


BothSides.TestCase.settings = told(2)
_Long.TestCase.settings = told(4)


@pytest.fixture(scope="module", autouse=True)
def _world() -> Iterator[None]:
    """Every life begins with the same world."""
    with tempfile.TemporaryDirectory() as folder, OneByOne(Path(folder), patient=False) as world:
        Lives.prepare(world)
        BothSides.world = world
        yield


@pytest.mark.slow
class TestBothSides(BothSides.TestCase):  # type: ignore[name-defined, misc]
    """The deck as it lies, and shuffled once."""


@pytest.mark.slow
@pytest.mark.long
class TestBothSidesLong(_Long.TestCase):  # type: ignore[name-defined, misc]
    """Shuffled more often."""
