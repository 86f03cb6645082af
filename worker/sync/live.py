"""A few customers brought up to date at once, through the same profiles as at night.

The source is narrowed to these customers and the lists to their items, so that a plan of it is the night's plan cut
down to them: the same mapping, policy, etags and proof. It leaves no row in the run list and is no "last good run":
a run list of single customers would hide the nights, and the brake compares whole runs.

A profile joins in when its key belongs to one customer (the shipped ones do): only then are the items of a customer all
that a row of it could match. The others wait for the night.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from worker.domain.existing import key_text
from worker.domain.profile import Profile
from worker.domain.profile_customer import customer_column
from worker.domain.report import LastRun, RunReport
from worker.domain.values import Column, ColumnKind, Item, TargetKind
from worker.errors import ConfigError, Problem
from worker.ports import RunSummary, Site, Source, Target, Usage, Write, WriteOutcome
from worker.sync.planner import COMPANY_KEY
from worker.sync.runner import RunOptions, Session, SessionResult, World

MOST = 20  # customers of one go, beside those that hang together with them by changed numbers


@dataclass(frozen=True, slots=True)
class LiveResult:
    """What a go did. `left` are titles of profiles that wait for the night; `unknown` are customers that neither side
    has, which a go that failed can't tell."""

    numbers: tuple[int, ...]
    session: SessionResult
    left: tuple[str, ...] = ()
    unknown: tuple[int, ...] = ()

    @property
    def written(self) -> int:
        """Changes written, of all profiles."""
        ledgers = [report.ledger for report in self.session.reports]
        return sum(one.created + one.updated + one.flagged for one in ledgers)


def sync_customers(
    world: World,
    source: Source,
    profiles: Sequence[Profile],
    options: RunOptions,
    numbers: Sequence[int],
    beside: Sequence[str] = (),
) -> LiveResult:
    """`source` must give no other customers than `numbers`. Items that carry a number of `beside` are seen too. Errors
    are in the result's session."""
    enabled = [profile for profile in profiles if profile.enabled]
    columns = _columns(enabled)
    joining = [one for one in enabled if (name := customer_column(one)) and columns[one.target] == name]
    left = tuple(profile.title for profile in enabled if profile not in joining)
    if not joining:
        return LiveResult(tuple(numbers), SessionResult(), left)
    site = _NarrowSite(world.site, columns, list(dict.fromkeys([*map(str, numbers), *beside])))
    narrow = replace(world, source=source, site=site, runs=_NoRuns())
    with Session(narrow, joining, replace(options, override_brake=True)) as session:
        result = session.run()
        unknown = () if result.error else _unknown(session, site, numbers)
        return LiveResult(tuple(numbers), result, left, unknown)


def _unknown(session: Session, site: _NarrowSite, numbers: Sequence[int]) -> tuple[int, ...]:
    known = {customer.number for customer in session.snapshot.customers}
    return tuple(number for number in numbers if number not in known and str(number) not in site.carried)


def _columns(profiles: Iterable[Profile]) -> dict[TargetKind, str]:
    """One column for each list; a profile of the list that names another one does not join in."""
    found: dict[TargetKind, str] = {}
    for profile in profiles:
        if name := customer_column(profile):
            found.setdefault(profile.target, name)
    return found


class _NarrowSite:
    """Implements ports.Site: the lists as if they held these customers' items only. `carried`: numbers that an item of
    any list was seen to carry."""

    def __init__(self, site: Site, columns: Mapping[TargetKind, str], numbers: Sequence[str]) -> None:
        self._site = site
        self._columns = columns
        self._numbers = numbers
        self.carried: set[str] = set()

    def bind(self, wanted: Mapping[str, tuple[TargetKind, Sequence[str]]]) -> Mapping[TargetKind, Target]:
        """See ports.Site."""
        bound = self._site.bind(wanted)
        return {kind: self._narrowed(target) for kind, target in bound.items()}

    def has_list(self, kind: TargetKind) -> bool:
        """As it is."""
        return self._site.has_list(kind)

    def usage(self) -> Usage:
        """Of the whole site."""
        return self._site.usage()

    def _narrowed(self, target: Target) -> Target:
        """A list that can't be narrowed is refused: to a plan every other customer's items would be missing."""
        column = self._columns.get(target.kind, COMPANY_KEY)
        found = target.columns.get(column)
        if found is None or found.kind is not ColumnKind.TEXT:
            problem = Problem(
                f"list {target.kind.value}, column {column}", "is no text, so no customer is found by it."
            )
            raise ConfigError([problem], hint="The nightly run brings these items up to date.")
        return _NarrowTarget(target, column, self._numbers, self.carried)


class _NarrowTarget:
    """Implements ports.Target."""

    def __init__(self, target: Target, column: str, numbers: Sequence[str], carried: set[str]) -> None:
        self._target = target
        self._column = column
        self._numbers = numbers
        self._carried = carried

    @property
    def kind(self) -> TargetKind:
        """As it is."""
        return self._target.kind

    @property
    def columns(self) -> Mapping[str, Column]:
        """As they are."""
        return self._target.columns

    def items(self, columns: Sequence[str]) -> Iterator[Item]:
        """These customers' items, by an indexed look-up. For a customer that no company carries the number of, all
        companies without a number too: one may be just getting it, or be the same party."""
        found = self._target.find(self._column, self._numbers, columns)
        carried = {text for item in found if (text := key_text(item.values.get(self._column))) is not None}
        self._carried |= carried
        yield from found
        if self._target.kind is not TargetKind.COMPANY or self._column != COMPANY_KEY:
            return
        if set(self._numbers) - carried:
            yield from (one for one in self._target.items(columns) if key_text(one.values.get(COMPANY_KEY)) is None)

    def item(self, item_id: int, columns: Sequence[str]) -> Item | None:
        """As it is."""
        return self._target.item(item_id, columns)

    def find(self, column: str, values: Sequence[str], columns: Sequence[str]) -> list[Item]:
        """In the whole list."""
        return self._target.find(column, values, columns)

    def never_touched(self, item_id: int) -> bool:
        """As it is."""
        return self._target.never_touched(item_id)

    def given_by_worker(self, item_id: int, columns: Sequence[str]) -> frozenset[str]:
        """As it is."""
        return self._target.given_by_worker(item_id, columns)

    def recycle(self, item_id: int, version: str) -> bool:
        """As it is."""
        return self._target.recycle(item_id, version)

    def write(self, writes: Iterable[Write]) -> Iterator[WriteOutcome]:
        """As it is."""
        return self._target.write(writes)


class _NoRuns:
    """Implements ports.RunStore: nothing is listed, and nothing that the nights have listed is healed."""

    def last_good(self, profiles: Sequence[str]) -> Mapping[str, LastRun]:  # noqa: ARG002
        """Never."""
        return {}

    def approved(self, profile: str, digest: str) -> bool:  # noqa: ARG002
        """Nothing waits for approval."""
        return False

    def opened(self, reports: Sequence[RunReport]) -> None:
        """Nothing."""

    def resumed(self, run_ids: Sequence[str]) -> None:
        """Nothing."""

    def closed(self, reports: Sequence[RunReport]) -> None:
        """Nothing."""

    def recent(self, limit: int = 20) -> Sequence[RunSummary]:  # noqa: ARG002
        """Nothing."""
        return ()
