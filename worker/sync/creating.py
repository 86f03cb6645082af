"""A customer made in e-conomic for a company of the CRM, once, however often and wherever it is interrupted.

The whole state stands in the company's item, so that any worker can finish what another began:

    Requested --check, search--> Creating (with the claim) --POST--> Created (with the number)
                             \\--> Failed (with what a person must do)

The claim holds the Idempotency-Key, when it was taken and exactly what is sent; it stands until the number is written
or it is certain that nothing was made, whatever people choose in the column meanwhile. Whoever goes on looks for the
customer first: one that was changed since the claim and has its name and CVR number is the one that was made then. Only
when there is none, and nobody alike, it is sent again: for almost an hour as it was, since e-conomic answers the same
key with the first answer; later anew, from what the item says now.

Order matters to a run beside it: see `sync.planner`, which leaves out a customer whose item is being created.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, timedelta, tzinfo
from itertools import islice
from typing import Any

from worker.domain.creation_texts import Language, Text, said
from worker.domain.existing import key_text
from worker.domain.new_customer import COLUMNS as SOURCE_COLUMNS
from worker.domain.new_customer import Defaults, NewCustomer, build, default_problems
from worker.domain.records import Customer
from worker.domain.values import Item, Value
from worker.errors import (
    AccessDeniedError,
    AuthenticationError,
    ConfigError,
    FatalError,
    Problem,
    RefusedError,
    UnavailableError,
    WorkerError,
)
from worker.ports import Clock, CustomerDesk, Target, Update, WriteStatus
from worker.sync.claims import CLAIM, KEY, STATE, STATUS, Claim, State, is_made_of, read_claim
from worker.sync.creating_contact import ContactMaker

log = logging.getLogger(__name__)

NEEDED = (KEY, STATE, STATUS, CLAIM)
COLUMNS = tuple(dict.fromkeys((*NEEDED, *SOURCE_COLUMNS)))
_REPEATABLE = timedelta(minutes=50)  # e-conomic remembers a key for an hour
_RESUME_AFTER = timedelta(minutes=3)  # longer than any try takes: whoever claimed it is gone
_WRITE_TRIES = 5
_NUMBER_TRIES = 5
_NUMBERS = 20  # free ones that are looked up in the CRM at once
_MOST_FAILURES = 20  # companies that one look may meet with an error
_STATUS_LENGTH = 4000


@dataclass(frozen=True, slots=True)
class Rules:
    """A connection's rules. `allowed` is off by default; `contact`: the primary contact is made too; `zone`: whose days
    are told."""

    allowed: bool = False
    defaults: Defaults = field(default_factory=Defaults)
    contact: bool = False
    language: Language = "en"
    zone: tzinfo = UTC


@dataclass(frozen=True, slots=True)
class Made:
    """What became of one company. `number` when a customer was made; `status` is what its item says; `state` "" when
    another worker has it in hand, or somebody saved it meanwhile: the next look goes on."""

    item_id: int
    name: str
    state: str
    status: str = ""
    number: int | None = None


class Creator:
    """Over the companies' list and e-conomic. Raises ConfigError when the list lacks the columns."""

    def __init__(
        self,
        companies: Target,
        desk: CustomerDesk,
        rules: Rules,
        clock: Clock,
        new_key: Callable[[], str],
        contacts: Target | None = None,
    ) -> None:
        missing = [name for name in NEEDED if name not in companies.columns]
        if missing:
            problems = [Problem(f"list of companies, column {name}", "is missing.") for name in missing]
            raise ConfigError(problems, hint="Make it on the page Connection, or run: economic-sync provision")
        self._companies = companies
        self._desk = desk
        self._rules = rules
        self._clock = clock
        self._new_key = new_key
        self._people = ContactMaker(contacts, desk)
        self._columns = [name for name in COLUMNS if name in companies.columns]

    def poll(self, most: int = 5) -> list[Made]:
        """Companies somebody asked for, and creations that were interrupted: until `most` have come to an end. One
        request when there is none. An error of one does not hold up the others; the last is raised at the end."""
        found = self._companies.find(STATE, [State.REQUESTED, State.CREATING], self._columns)
        made: list[Made] = []
        failures: list[WorkerError] = []
        for item in self._in_turn([item for item in found if self._is_due(item)]):
            if sum(bool(one.state) for one in made) >= most or len(failures) >= _MOST_FAILURES:
                break
            try:
                made.append(self._create(item))
            except WorkerError as error:
                log.warning("creation interrupted item=%d reason=%s", item.item_id, error)
                failures.append(error)
        if failures:
            raise failures[-1]
        return made

    def sweep(self) -> list[Made]:
        """Claims in items whose column somebody cleared, which no look finds: whoever cleared it wants no customer, so
        what was made already is written down and nothing is made any more. Reads all companies."""
        cleared = [
            item.item_id
            for item in self._companies.items([STATE, CLAIM])
            if item.values.get(CLAIM) and not item.values.get(STATE)
        ]
        found = (self._companies.item(item_id, self._columns) for item_id in cleared)
        return [self._create(item, making=False) for item in found if item is not None and self._is_swept(item)]

    def waiting(self) -> list[Made]:
        """Companies that somebody asked for, that are being created or that failed, as their items say it."""
        found = self._companies.find(STATE, [State.REQUESTED, State.CREATING, State.FAILED], self._columns)
        return [Made(item.item_id, _name(item), str(item.values.get(STATE)), _status(item)) for item in found]

    def default_problems(self) -> str:
        """What is wrong with the connection's defaults by e-conomic's own lists; "" when they are right."""
        return self._said(default_problems(self._rules.defaults, self._desk.choices()))

    def create(self, item_id: int, *, number: int | None = None, anyway: bool = False) -> Made:
        """One company, whatever its column says. `number`: the customer number it is to have; `anyway`: although
        e-conomic has a customer like it. Raises ConfigError when there is no such item."""
        item = self._companies.item(item_id, self._columns)
        if item is None:
            raise ConfigError([Problem(f"item {item_id}", "is no company.")], hint="Look at the item's address.")
        return self._create(item, number, anyway=anyway)

    # What is looked at.

    def _is_due(self, item: Item) -> bool:
        claim = read_claim(item.values.get(CLAIM))
        return claim is None or self._age(claim) >= _RESUME_AFTER

    def _in_turn(self, waiting: list[Item]) -> list[Item]:
        """When there are many, each minute begins with another: companies that always fail hold up nobody for good."""
        if len(waiting) <= _MOST_FAILURES:
            return waiting
        turn = int(self._clock.now().timestamp() // 60) % len(waiting)
        return waiting[turn:] + waiting[:turn]

    def _age(self, claim: Claim) -> timedelta:
        """A claim of the future is of a worker whose clock is wrong, and as old as that makes it."""
        return abs(self._clock.now() - claim.moment)

    def _is_swept(self, item: Item) -> bool:
        claim = read_claim(item.values.get(CLAIM))
        return claim is not None and not item.values.get(STATE) and self._age(claim) >= _RESUME_AFTER

    # One company.

    def _create(self, item: Item, number: int | None = None, *, anyway: bool = False, making: bool = True) -> Made:
        claim = read_claim(item.values.get(CLAIM))
        try:
            if claim is not None and not (making and self._rules.allowed):
                return self._wound_up(item, claim)
            if claim is not None:
                return self._continued(item, claim, number)
            return self._begun(item, number, anyway=anyway)
        except AuthenticationError:
            self._waits_for_tokens(item.item_id)
            raise
        except FatalError as error:
            return self._stopped(item.item_id, error)

    def _begun(self, item: Item, wanted: int | None, besides: tuple[int, ...] = (), *, anyway: bool = False) -> Made:
        held = key_text(item.values.get(KEY))
        if held:
            return self._already(item, held)
        if not self._rules.allowed:
            return self._failed(item, [Text("off")])
        customer, problems = build(item.values, self._rules.defaults, self._desk.choices())
        if customer is None:
            return self._failed(item, [*problems, Text("again")])
        alike = self._desk.like(customer)
        if not anyway and (other := self._other(alike, besides)):
            return self._failed(item, [other])
        person = self._people.chosen(item.item_id) if self._rules.contact else None
        known = tuple(one.number for one, _ in alike)
        return self._numbered(item, Claim("", self._clock.now(), customer.body, wanted, known, person), [])

    def _continued(self, item: Item, claim: Claim, number: int | None) -> Made:
        """Somebody was interrupted after the claim."""
        alike = self._desk.like(NewCustomer(claim.body))
        ours = self._ours(claim, alike)
        if ours is not None:
            return self._finished(item, claim, ours)
        held = key_text(item.values.get(KEY))
        if held:
            return self._already(item, held)
        other = self._other(alike, claim.besides)
        if other is not None:
            return self._failed(item, [other])
        if self._age(claim) >= _REPEATABLE:
            return self._begun(item, number or claim.wanted, claim.besides)
        made = self._sent(item, claim)
        return made or self._numbered(item, claim, [NewCustomer(claim.body).number or 0])

    def _wound_up(self, item: Item, claim: Claim) -> Made:
        """Somebody switched creating off, or cleared the column, in the middle: what was made is written down, its
        contact is not made any more."""
        ours = self._ours(claim, self._desk.like(NewCustomer(claim.body)))
        held = key_text(item.values.get(KEY))
        if ours is None and held:
            return self._already(item, held)
        if ours is None:
            return self._failed(item, [Text("withdrawn" if self._rules.allowed else "off")])
        return self._finished(item, replace(claim, person=None), ours)

    def _already(self, item: Item, held: str) -> Made:
        """A company with a number is created, whoever asks again; unless e-conomic does not know the number."""
        number = int(held) if re.fullmatch(r"[0-9]{1,9}", held) else None
        if number is None or self._desk.customer(number) is None:
            return self._failed(item, [Text("number-unknown", {"number": held})])
        if item.values.get(STATE) == State.CREATED and not item.values.get(CLAIM):
            return Made(item.item_id, _name(item), State.CREATED, _status(item), number)
        return self._ended(item, State.CREATED, [Text("has-number", {"number": number})], number)

    def _other(self, alike: Sequence[tuple[Customer, str]], besides: Sequence[int]) -> Text | None:
        """The customer that stands in the way, but for those that are meant to stay others."""
        for one, why in alike:
            if one.number in besides:
                continue
            facts = {"number": one.number, "name": one.name, "why": why}
            for company in self._companies.find(KEY, [str(one.number)], self._columns):
                return Text("similar-taken", {**facts, "company": _name(company), "item": company.item_id})
            return Text("similar", facts)
        return None

    def _ours(self, claim: Claim, alike: Sequence[tuple[Customer, str]]) -> int | None:
        """The customer that was made under this claim when the answer was lost."""
        number = NewCustomer(claim.body).number
        found = [self._desk.customer(number)] if number is not None else [one for one, _ in alike]
        return next((one.number for one in found if one is not None and is_made_of(one, claim)), None)

    # Claiming and sending.

    def _numbered(self, item: Item, draft: Claim, taken: list[int]) -> Made:
        """Claims and sends; where the number must come from a range, another one when somebody was faster."""
        for _ in range(_NUMBER_TRIES):
            number, problem = self._number(draft.wanted, taken)
            if problem is not None:
                return self._failed(item, [problem])
            body = {name: value for name, value in draft.body.items() if name != "customerNumber"}
            body = body if number is None else {"customerNumber": number, **body}
            claim = replace(draft, key=self._new_key(), moment=self._clock.now(), body=body)
            claimed = self._claimed(item, claim)
            if isinstance(claimed, Made):
                return claimed
            item = claimed
            made = self._sent(item, claim)
            if made is not None:
                return made
            taken.append(number or 0)
        return self._failed(item, [Text("number-taken", {"number": taken[-1]}), Text("again")])

    def _number(self, wanted: int | None, taken: Sequence[int]) -> tuple[int | None, Text | None]:
        """The number to ask for, None = e-conomic chooses; or why there is none."""
        numbers = self._rules.defaults.numbers
        if wanted is not None:
            return self._wanted(wanted, taken)
        if numbers is None:
            return None, None
        first, last = numbers
        number = self._free(first, last, taken)
        return number, None if number is not None else Text("range-full", {"first": first, "last": last})

    def _wanted(self, wanted: int, taken: Sequence[int]) -> tuple[int | None, Text | None]:
        numbers = self._rules.defaults.numbers
        if numbers and not numbers[0] <= wanted <= numbers[1]:
            return None, Text("range", {"number": wanted, "first": numbers[0], "last": numbers[1]})
        if taken or self._desk.customer(wanted) is not None:
            return None, Text("number-taken", {"number": wanted})
        if self._carried([wanted]):
            return None, Text("number-carried", {"number": wanted})
        return wanted, None

    def _free(self, first: int, last: int, taken: Sequence[int]) -> int | None:
        """Free in e-conomic, and carried by no company: one whose customer vanished keeps its number."""
        numbers = (number for number in self._desk.free_numbers(first, last) if number not in taken)
        while some := list(islice(numbers, _NUMBERS)):
            carried = self._carried(some)
            if left := [number for number in some if str(number) not in carried]:
                return left[0]
        return None

    def _carried(self, numbers: Sequence[int]) -> set[str | None]:
        """Which of these numbers companies carry."""
        return {key_text(item.values.get(KEY)) for item in self._companies.find(KEY, [*map(str, numbers)], [KEY])}

    def _claimed(self, item: Item, claim: Claim) -> Item | Made:
        """The item with our claim, or what became of it."""
        values: dict[str, Value] = {STATE: State.CREATING, CLAIM: claim.text(), STATUS: self._said([Text("creating")])}
        outcome = self._write(item, values)
        match outcome.status:
            case WriteStatus.DONE:
                return replace(item, version=outcome.version, values={**item.values, **values})
            case WriteStatus.GONE:
                return self._gone(item)
            case WriteStatus.UNKNOWN:
                now = self._companies.item(item.item_id, self._columns)
                if now is not None and _holds(now, claim):
                    return now
            case WriteStatus.REJECTED | WriteStatus.DUPLICATE:
                raise RefusedError(
                    f"SharePoint refused the claim of company {item.item_id}: {outcome.detail}",
                    hint="Look at the list's own rules.",
                )
        return Made(item.item_id, _name(item), "")

    def _sent(self, item: Item, claim: Claim) -> Made | None:
        """None when the number was taken meanwhile."""
        try:
            number = self._desk.create(NewCustomer(claim.body), claim.key)
        except RefusedError as error:
            wanted = NewCustomer(claim.body).number
            holder = self._desk.customer(wanted) if wanted is not None else None
            if holder is None:
                return self._failed(item, [Text("refused", {"detail": error.message}), Text("again")])
            if not is_made_of(holder, claim):
                return None
            number = holder.number  # an earlier try made it, and e-conomic forgot the key
        except AccessDeniedError:
            return self._failed(item, [Text("denied")])
        return self._finished(item, claim, number)

    # Writing down what became of it.

    def _finished(self, item: Item, claim: Claim, number: int) -> Made:
        log.info("customer created number=%d item=%d", number, item.item_id)
        day = claim.moment.astimezone(self._rules.zone).date().isoformat()
        people = self._people.made(number, claim)
        return self._written(item, claim, number, [Text("created", {"number": number, "day": day}), *people])

    def _written(self, item: Item, claim: Claim, number: int, texts: Sequence[Text]) -> Made:
        """Number and state in one update. Somebody's edit in between is kept: only these columns are written."""
        elsewhere = False
        for _ in range(_WRITE_TRIES):
            held = key_text(item.values.get(KEY))
            if held == str(number) and item.values.get(STATE) == State.CREATED and not item.values.get(CLAIM):
                return Made(item.item_id, str(claim.body["name"]), State.CREATED, _status(item), number)
            values: dict[str, Value] = {KEY: str(number), STATE: State.CREATED, STATUS: self._said(texts), CLAIM: None}
            if elsewhere or held not in (None, str(number)):
                text = Text("number-elsewhere" if elsewhere else "other-number", {"number": number})
                values = {STATE: State.FAILED, STATUS: self._said([text]), CLAIM: None}
            outcome = self._write(item, values)
            if outcome.status is WriteStatus.DONE:
                made = str(claim.body["name"])
                return Made(item.item_id, made, str(values[STATE]), str(values[STATUS]), number)
            if outcome.status is WriteStatus.REJECTED:
                return self._unsaved(item, number, outcome.detail)
            elsewhere = elsewhere or outcome.status is WriteStatus.DUPLICATE
            now = self._companies.item(item.item_id, self._columns)
            if now is None:
                return self._gone(item, number)
            item = now
        raise UnavailableError(
            f"Customer {number} was created, but company {item.item_id} could not be saved.",
            hint="The next look at the list tries again; else write the number as Customer ID.",
        )

    def _unsaved(self, item: Item, number: int, detail: str) -> Made:
        """The list's own rules refuse the number. The claim stays: the next try finds the customer that was made."""
        error = RefusedError(
            f"Customer {number} was created in e-conomic, but SharePoint refused to save its number: {detail}",
            hint=f"Look at the list's own rules, or write {number} as Customer ID of company {item.item_id}.",
        )
        text = Text("not-saved", {"number": number, "detail": detail})
        return replace(self._stopped(item.item_id, error, text), number=number)

    def _gone(self, item: Item, number: int | None = None) -> Made:
        """Somebody deleted the company; in the recycle bin it keeps the claim."""
        log.warning("company was deleted while its customer was made item=%d number=%s", item.item_id, number)
        text = Text("gone") if number is None else Text("gone-made", {"number": number})
        return Made(item.item_id, _name(item), State.FAILED, self._said([text]), number)

    def _failed(self, item: Item, texts: Sequence[Text]) -> Made:
        return self._ended(item, State.FAILED, texts)

    def _ended(self, item: Item, state: State, texts: Sequence[Text], number: int | None = None) -> Made:
        """It is settled that nothing is to be made: said in the item, and a claim is let go. Whoever saved the item
        meanwhile keeps what they did; one that was asked for anew stays asked for."""
        status = self._said(texts)
        claim = read_claim(item.values.get(CLAIM))
        values: dict[str, Value] = {STATE: state, STATUS: status, CLAIM: None}
        for _ in range(_WRITE_TRIES):
            outcome = self._write(item, values)
            if outcome.status is WriteStatus.DONE:
                return Made(item.item_id, _name(item), str(values.get(STATE, "")), status, number)
            if outcome.status in (WriteStatus.REJECTED, WriteStatus.DUPLICATE):
                raise RefusedError(
                    f"SharePoint refused to save company {item.item_id}: {outcome.detail}",
                    hint="Look at the list's own rules.",
                )
            now = self._companies.item(item.item_id, self._columns)
            if now is None:
                return self._gone(item)
            if claim is None or not _holds(now, claim):
                break
            if now.values.get(STATE) == State.REQUESTED:
                values = {CLAIM: None}
            item = now
        return Made(item.item_id, _name(item), "", status)

    def _stopped(self, item_id: int, error: FatalError, text: Text | None = None) -> Made:
        """Something was refused on the way. Said in the item, whose claim stays as long as a customer may have been
        made under it. Raises the error where even that is refused."""
        log.warning("creation stopped item=%d reason=%s", item_id, error)
        now = self._companies.item(item_id, self._columns)
        if now is None:
            return Made(item_id, "", State.FAILED, self._said([Text("gone")]))
        code = "stopped" if read_claim(now.values.get(CLAIM)) is None else "stopped-open"
        first = text or Text(code, {"detail": error.message, "hint": error.hint})
        status = self._said([first, Text("again")])
        outcome = self._write(now, {STATE: State.FAILED, STATUS: status})
        if outcome.status is not WriteStatus.DONE:
            raise error
        return Made(item_id, _name(now), State.FAILED, status)

    def _waits_for_tokens(self, item_id: int) -> None:
        """Said once; the company stays asked for, and the worker goes on by itself."""
        now = self._companies.item(item_id, self._columns)
        status = self._said([Text("tokens")])
        if now is not None and _status(now) != status:
            self._write(now, {STATUS: status})

    def _write(self, item: Item, values: dict[str, Value]) -> Any:
        (outcome,) = self._companies.write([Update(str(item.item_id), item.item_id, item.version, values)])
        return outcome

    def _said(self, texts: Sequence[Text]) -> str:
        text = said(texts, self._rules.language)
        return text if len(text) <= _STATUS_LENGTH else f"{text[: _STATUS_LENGTH - 1]}…"


def _name(item: Item) -> str:
    return str(item.values.get("Title") or item.values.get("CompanyName") or "")


def _status(item: Item) -> str:
    return str(item.values.get(STATUS) or "")


def _holds(item: Item, claim: Claim) -> bool:
    held = read_claim(item.values.get(CLAIM))
    return held is not None and held.key == claim.key
