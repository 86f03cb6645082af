"""Reads what a plan needs from both sides and hands it to the pure planning."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace

from worker.domain.existing import ExistingIndex, key_text
from worker.domain.fit import normal
from worker.domain.holders import Holders, Register
from worker.domain.mapping import Lookup, Mapper
from worker.domain.narrowing import left_alone
from worker.domain.plan import ChangeKind, LeftOut, Plan, RowOutcome
from worker.domain.planning import (
    REVIEW_COLUMN,
    SINCE_COLUMN,
    STATUS_COLUMN,
    Held,
    Moves,
    Planned,
    build_plan,
)
from worker.domain.profile import ImportType, OnMissing, Profile, SourceKind
from worker.domain.profile_customer import COMPANY_COLUMN, customer_column
from worker.domain.records import Customer
from worker.domain.renumbering import Said
from worker.domain.rows import RunFacts
from worker.domain.signs import Numbers, numbers_of
from worker.domain.values import ColumnKind, Item, TargetKind, Value
from worker.errors import RowError
from worker.ports import Progress, Target
from worker.sync.claims import CLAIM, Claim, is_made_of, read_claim
from worker.sync.numbers import (
    IDENTITY,
    RowNumbers,
    company_party,
    facts_of,
    held_as_other,
    held_companies,
    held_figures,
    held_rows,
    original_numbers,
)
from worker.sync.rows import source_rows
from worker.sync.snapshot import Snapshot

COMPANY_KEY = "CustomerID"
_CVR, _EAN = "CINumber", "EAN"
# Of a company without a number: whether it is just becoming a customer, and whose company it may be.
UNNUMBERED_COLUMNS = (CLAIM, _CVR, _EAN)
# Columns that serve where a list has them.
OPTIONAL_COLUMNS: Mapping[TargetKind, tuple[str, ...]] = {
    TargetKind.COMPANY: tuple(dict.fromkeys([*UNNUMBERED_COLUMNS, SINCE_COLUMN, *IDENTITY])),
    TargetKind.CONTACT: (SINCE_COLUMN, REVIEW_COLUMN),
}


def target_columns(profile: Profile) -> tuple[str, ...]:
    """Every logical column a profile reads or writes."""
    extra = (STATUS_COLUMN,) if profile.on_missing is OnMissing.FLAG else ()
    return tuple(dict.fromkeys([*profile.columns, *extra]))


@dataclass(frozen=True, slots=True)
class Placed:
    """One company. `carried`: the number that its item has now; None when it has no item, since that of its number is
    another customer's. `held`: why nothing may be written."""

    carried: str | None
    held: Held | None = None
    moves: Moves = field(default_factory=Moves)


class Planner:
    """Plans profiles of one session. Company ids found on the way serve the look-ups of later profiles. `seen`: where
    the source gives some customers only, their numbers and those that hang together with them; other companies are
    nobody's concern then."""

    def __init__(
        self,
        targets: Mapping[TargetKind, Target],
        snapshot: Snapshot,
        progress: Progress,
        said: Said | None = None,
        seen: Collection[str] | None = None,
    ) -> None:
        self._said = said or Said()
        self._seen = seen
        self._numbers: dict[str, str] = {}  # of renumbered customers, old -> new
        self._let_go = dict(self._said.let_go)  # company item -> the number that is somebody else's by now
        self._targets = targets
        self._snapshot = snapshot
        self._progress = progress
        self._companies: Lookup | None = None
        self._claims: list[Claim] = []
        self._unnumbered: dict[str, list[tuple[int, Numbers]]] = {}  # companies without a customer number, by theirs
        self._belonging: set[tuple[Value, Value]] = set()  # number and company item of the rows just read
        self._holders = Holders()  # of the companies last read
        self._others: dict[int, Held] = {}  # customers whose item, by another key, is somebody else's
        self._asked: frozenset[str] = frozenset()  # customers that a company without a number may be
        self._facts = facts_of(snapshot.profiles)
        self._new_keys: dict[int, str] = {}  # of companies that may carry their old number still
        self._planned_companies: frozenset[str] = frozenset()

    def plan(self, profile: Profile, facts: RunFacts) -> Planned:
        """Reads the target's items, then the source's rows.

        Customers come before the companies: a customer that is being created from the CRM is then either matched by
        its number already, or its company is seen to be in the making.
        """
        target = self._targets[profile.target]
        names = target_columns(profile)
        if profile.source is SourceKind.CUSTOMER:
            _ = self._snapshot.customers
        names = (*names, *(name for name in _flagging(profile) if name in target.columns and name not in names))
        existing = ExistingIndex([target.columns[name] for name in names], profile.key_target)
        self._read(profile, target, names, existing, facts)
        lookup = self._lookup_for(profile, target)
        moves = self._moves(profile, existing)
        mapper = Mapper(profile, target.columns, lookup)
        self._progress.started(f"{profile.title}: comparing", None)
        rows = source_rows(profile, self._snapshot, facts, self._held(profile))
        planned = build_plan(profile, mapper, rows, existing, facts.today, moves)
        self._progress.finished()
        planned = self.left_alone(profile, replace(planned, plan=self._waiting(profile, planned.plan)))
        self._remember(profile, planned.plan)
        return planned

    def left_alone(self, profile: Profile, planned: Planned) -> Planned:
        """Without companies that are in the making, or that people may have already."""
        if profile.source is not SourceKind.CUSTOMER or not self._holds_companies(profile):
            return planned
        planned = left_alone(planned, self._being_created(planned.plan))
        known = self._maybe_known(planned.plan)
        if self._gives_numbers(profile):
            self._asked = frozenset(known)
        return left_alone(planned, known)

    def placed(self, profile: Profile, key: str) -> Placed:
        """Where the item of this key is to be looked for, and whether it may be written, without a plan of all others.
        For companies: all of them are read once, by a few columns."""
        if not self._holds_companies(profile):
            return Placed(key)
        if self._companies is None:
            index = ExistingIndex([self._targets[TargetKind.COMPANY].columns[COMPANY_KEY]], COMPANY_KEY)
            self._companies = self._read_companies(profile.title, (COMPANY_KEY,), index)
        before = {new: old for old, new in self._holders.moves.items()}
        carried = before.get(key, None if key in {*self._holders.moves, *self._holders.let_go} else key)
        moves = Moves(column=customer_column(profile), writes_keys=self._gives_numbers(profile))
        return Placed(carried, self._held(profile).get(int(key)) if key.isdecimal() else None, moves)

    def identity(self, profile: Profile) -> list[str]:
        """Columns that tell whose a company is, for a profile that finds companies by another key than their number."""
        if profile.target is not TargetKind.COMPANY or self._holds_companies(profile):
            return []
        return [name for name in IDENTITY if name in self._targets[profile.target].columns]

    def created(self, profile: Profile, pairs: Iterable[tuple[str, int]]) -> None:
        """Companies that were just created can be pointed at."""
        if not self._holds_companies(profile):
            return
        self._planned_companies = frozenset()
        if self._companies is not None:
            for key, item_id in pairs:
                self._companies.add(key, item_id)

    def standing(self, profile: Profile, columns: list[str]) -> Iterator[tuple[str, list[Value]]]:
        """Key and values of every item as it stands in the list now."""
        target = self._targets[profile.target]
        new_keys = self._new_keys if self._holds_companies(profile) else {}
        for key, item in _keyed(target, profile.key_target, columns):
            yield (
                new_keys.get(item.item_id, key),
                [normal(item.values.get(name), target.columns[name]) for name in columns],
            )

    def _read(
        self, profile: Profile, target: Target, names: tuple[str, ...], existing: ExistingIndex, facts: RunFacts
    ) -> None:
        self._claims = []
        self._unnumbered = {}
        self._belonging = set()
        self._others = {}
        if self._holds_companies(profile):
            may_let_go = not self._gives_numbers(profile) or _lets_go(profile)
            self._companies = self._read_companies(profile.title, names, existing, may_let_go=may_let_go)
            return
        self._progress.started(f"{profile.title}: reading {profile.target.value} items", None)
        whose = customer_column(profile) if COMPANY_COLUMN in names else None
        more = self.identity(profile)
        customers = self._by_key(profile, target, facts) if more else {}
        for item in target.items(list(dict.fromkeys([*names, *more]))):
            customer = customers.get(existing.add(item) or "")
            if customer is not None and (held := held_as_other(customer, item)) is not None:
                self._others[customer.number] = held
            if whose is not None:
                self._belonging.add((item.values.get(whose), item.values.get(COMPANY_COLUMN)))
            self._progress.advanced(1)
        self._progress.finished()

    def _by_key(self, profile: Profile, target: Target, facts: RunFacts) -> dict[str, Customer]:
        """Customers by the profile's key; those without one can't find an item."""
        mapper, found = Mapper(profile, target.columns), {}
        for customer, row in zip(self._snapshot.customers, source_rows(profile, self._snapshot, facts), strict=True):
            with suppress(RowError):
                found[mapper.key(row.record)] = customer
        return found

    def _read_companies(
        self, title: str, names: Sequence[str], existing: ExistingIndex, *, may_let_go: bool = True
    ) -> Lookup:
        """Reads the companies and finds whose each is. The customers come first: one that is new by then has its
        company seen in the making."""
        target = self._targets[TargetKind.COMPANY]
        companies, register = Lookup(), Register(self._snapshot.customers)
        more = [name for name in (*UNNUMBERED_COLUMNS, *IDENTITY) if name in target.columns]
        self._progress.started(f"{title}: reading {target.kind.value} items", None)
        for item in target.items(list(dict.fromkeys([*names, *more]))):
            key = existing.add(item)
            self._note_claim(item)
            if key is None:
                self._note_unnumbered(item)
            else:
                companies.add(key, item.item_id)
                if self._seen is None or key in self._seen:
                    register.add(company_party(key, item, self._facts))
            self._progress.advanced(1)
        self._progress.finished()
        self._take_in(companies, register.holders(self._said, may_let_go=may_let_go))
        return companies

    def _take_in(self, companies: Lookup, holders: Holders) -> None:
        self._holders = holders
        self._numbers.update(original_numbers(holders.moves))
        for number in holders.let_go:
            self._let_go |= dict.fromkeys(companies.ids(number), number)
            companies.drop(number)
        companies.move(holders.moves)
        self._new_keys = {item: new for new in holders.moves.values() for item in companies.ids(new)}

    def _note_claim(self, item: Item) -> None:
        """It stands whatever the column beside it says by now, and until it is taken off, also when the number is
        there."""
        claim = read_claim(item.values.get(CLAIM))
        if claim is not None:
            self._claims.append(claim)

    def _note_unnumbered(self, item: Item) -> None:
        numbers = numbers_of(str(item.values.get(_CVR) or ""), str(item.values.get(_EAN) or ""))
        for number in {numbers.cvr, numbers.ean} - {""}:
            self._unnumbered.setdefault(number, []).append((item.item_id, numbers))

    def _alike(self, customer: Customer) -> list[int]:
        """Companies without a customer number that people may have made for it."""
        own = numbers_of(customer.cvr, customer.ean)
        near = [one for number in (own.cvr, own.ean) for one in self._unnumbered.get(number, ())]
        items = {item for item, numbers in near if numbers.may_be(own)}
        return sorted(item for item in items if (item, customer.number) not in self._said.apart)

    def _holds_companies(self, profile: Profile) -> bool:
        return profile.target is TargetKind.COMPANY and profile.key_target == COMPANY_KEY

    def _lookup_for(self, profile: Profile, target: Target) -> Lookup | None:
        if not any(target.columns[rule.target].kind is ColumnKind.LOOKUP for rule in profile.rules):
            return None
        if self._companies is None:
            index = ExistingIndex([self._targets[TargetKind.COMPANY].columns[COMPANY_KEY]], COMPANY_KEY)
            self._companies = self._read_companies(profile.title, (COMPANY_KEY,), index)
        self._companies.expected = self._planned_companies
        return self._companies

    def _waiting(self, profile: Profile, plan: Plan) -> Plan:
        """Rows whose item an earlier profile of this plan creates wait; they are not unmatched."""
        if not self._holds_companies(profile) or not self._planned_companies:
            return plan
        left_out = tuple(
            replace(row, code="company-planned", facts={"customer": row.key})
            if row.code == "unmatched" and row.key in self._planned_companies
            else row
            for row in plan.left_out
        )
        return replace(plan, left_out=left_out)

    def _moves(self, profile: Profile, existing: ExistingIndex) -> Moves:
        """Gives the items of renumbered customers their new keys, and takes out those that are another customer's."""
        kept = self._holders.kept
        if not self._holds_companies(profile):
            if self._companies is None:
                return Moves(kept=kept)
            there = frozenset(str(customer.number) for customer in self._snapshot.customers)
            rows = RowNumbers(profile, self._belonging, self._companies, self._numbers, there, self._let_go)
            self._numbers.update(rows.left_behind())
            return rows.moves(existing, kept)
        others = {number: existing.take(number) for number in self._holders.let_go}
        existing.rekey(self._holders.moves)
        gives = self._gives_numbers(profile)
        let_go = {number: items[0] for number, items in others.items() if gives and items}
        return Moves(column=customer_column(profile), let_go=let_go, kept=kept, writes_keys=gives)

    def _held(self, profile: Profile) -> dict[int, Held]:
        if self._gives_numbers(profile):
            return held_companies(self._holders)
        if self._holds_companies(profile):
            return held_figures(self._holders, self._planned_companies)
        return held_rows(self._holders, self._asked) | self._others

    def _gives_numbers(self, profile: Profile) -> bool:
        """Whether a profile keeps what tells one company from another, and may give them other numbers."""
        return (
            profile.source is SourceKind.CUSTOMER
            and self._holds_companies(profile)
            and customer_column(profile) == COMPANY_KEY
            and profile.import_type is not ImportType.IMPORT
            and {"Title", "CINumber"} <= set(profile.columns)
        )

    def _being_created(self, plan: Plan) -> dict[str, LeftOut]:
        """Customers whose company is just being created in e-conomic: it gets their number itself."""
        if not self._claims:
            return {}
        creates = {change.key for change in plan.changes if change.kind is ChangeKind.CREATE}
        return {
            str(customer.number): LeftOut(
                str(customer.number),
                RowOutcome.SKIPPED,
                "being-created",
                {"customer": customer.number},
                title=customer.name,
            )
            for customer in self._snapshot.customers
            if str(customer.number) in creates and any(is_made_of(customer, claim) for claim in self._claims)
        }

    def _maybe_known(self, plan: Plan) -> dict[str, LeftOut]:
        """Customers that people may have as a company already, which has the same CVR or EAN number."""
        if not self._unnumbered:
            return {}
        creates = {change.key for change in plan.changes if change.kind is ChangeKind.CREATE}
        found = {}
        for customer in self._snapshot.customers:
            items = tuple(self._alike(customer)) if str(customer.number) in creates else ()
            if items:
                facts = {"customer": customer.number, "items": ", ".join(map(str, items))}
                key = str(customer.number)
                found[key] = LeftOut(key, RowOutcome.FAILED, "maybe-known", facts, items, customer.name)
        return found

    def _remember(self, profile: Profile, plan: Plan) -> None:
        if self._holds_companies(profile):
            creates = (change.key for change in plan.changes if change.kind is ChangeKind.CREATE)
            self._planned_companies = self._planned_companies | frozenset(creates)


def _flagging(profile: Profile) -> tuple[str, ...]:
    """Columns that flagging fills beside the status, where a list has them."""
    return (SINCE_COLUMN, REVIEW_COLUMN) if profile.on_missing is OnMissing.FLAG else ()


def _lets_go(profile: Profile) -> bool:
    """Only where the item can be flagged and the new customer gets an item of its own."""
    return profile.import_type is ImportType.IMPORT_AND_UPDATE and profile.on_missing is OnMissing.FLAG


def _keyed(target: Target, key_column: str, columns: Sequence[str] = ()) -> Iterator[tuple[str, Item]]:
    """The items that carry a key, with it."""
    column = target.columns[key_column]
    for item in target.items([key_column, *columns]):
        key = key_text(normal(item.values.get(key_column), column))
        if key is not None:
            yield key, item
