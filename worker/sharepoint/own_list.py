"""The worker's own lists (profiles, runs, row results): rows by the names they were provisioned with.

Their writes are harmless to repeat, because every row carries a unique key: a create that turns out to be a duplicate
is an earlier try that did arrive.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import TypeVar

from worker.domain.fit import fit
from worker.domain.values import Item, Value
from worker.errors import AccessDeniedError, ConfigError, FatalError, Problem, ProtocolError
from worker.ports import Create, Update, Write, WriteOutcome, WriteStatus
from worker.sharepoint.batch import PartAnswer
from worker.sharepoint.client import BATCH_SIZE
from worker.sharepoint.definitions import ListDefinition, ListKey
from worker.sharepoint.faults import GRANT_HINT
from worker.sharepoint.items import ListItems, literal, shape
from worker.sharepoint.outcomes import judge
from worker.sharepoint.site import SharePointSite

Result = TypeVar("Result")
_TRIES = 10
_NO_RIGHT = frozenset({401, 403})
_PROVISION = "Run: economic-sync provision"
_SETTLED = frozenset({WriteStatus.DONE, WriteStatus.DUPLICATE, WriteStatus.GONE})


class OwnList:
    """One list that `provision` made. Reading it raises ConfigError when the list or a column of it is missing."""

    def __init__(self, site: SharePointSite, key: ListKey) -> None:
        self.site = site
        self._key = key

    @property
    def definition(self) -> ListDefinition:
        """The list as it should be."""
        return self.site.definitions[self._key]

    def every(self, columns: Sequence[str]) -> list[Item]:
        """All rows."""
        return self._told(lambda: list(self._items.items(columns)))

    def newest(self, columns: Sequence[str], limit: int) -> list[Item]:
        """The latest rows, newest first."""
        return self._told(lambda: list(self._items.newest(columns, limit)))

    def where(self, column: str, value: str, columns: Sequence[str], limit: int = 5000) -> Iterator[Item]:
        """Rows whose indexed `column` is `value`, newest first."""
        condition = f"{column} eq {literal(value)}"
        return iter(self._told(lambda: list(self._items.newest(columns, limit, condition))))

    def create(self, key: str, values: Mapping[str, Value]) -> OwnWrite:
        """A row to add. Texts are cut to what their column holds."""
        return OwnWrite(self._items, Create(key, self._fitted(values)))

    def update(self, item_id: int, values: Mapping[str, Value]) -> OwnWrite:
        """A row to change, whatever its version: nobody else writes these columns."""
        return OwnWrite(self._items, Update(str(item_id), item_id, "*", self._fitted(values)))

    def _fitted(self, values: Mapping[str, Value]) -> dict[str, Value]:
        return {name: fit(value, self._items.columns[name], shorten=True) for name, value in values.items()}

    @cached_property
    def _items(self) -> ListItems:
        info = self.site.find_list(self._key)
        if info is None:
            raise ConfigError([Problem(f"list {self.definition.title}", "is not on the site.")], hint=_PROVISION)
        zone = self.site.zone
        shapes = {column.name: shape(column.as_column(), zone) for column in self.definition.columns}
        return ListItems(self.site.client, info.path, shapes, zone, title=info.title)

    def _told(self, read: Callable[[], Result]) -> Result:
        try:
            return read()
        except ProtocolError as error:
            missing = self._missing_columns()
            if not missing:
                raise
            problems = [Problem(f"list {self.definition.title}, column {name}", "is missing.") for name in missing]
            raise ConfigError(problems, hint=_PROVISION) from error

    def _missing_columns(self) -> list[str]:
        info = self.site.find_list(self._key)
        there = {one.internal for one in self.site.lists.fields(info)} if info else set()
        return [column.name for column in self.definition.columns if column.name not in there]


class OwnWrite:
    """One write to one of the worker's lists, ready to share a batch with writes to the others."""

    def __init__(self, items: ListItems, write: Write) -> None:
        self.write = write
        self.part = items.part(write)


def send(site: SharePointSite, writes: Sequence[OwnWrite]) -> list[WriteOutcome]:
    """Sends all until each is settled, 100 to a request; outcomes in the order of `writes`.

    Raises AccessDeniedError when the app may not write, FatalError for a row that is refused or when answers stay away.
    """
    outcomes: dict[int, WriteOutcome] = {}
    for _ in range(_TRIES):
        left = [at for at in range(len(writes)) if at not in outcomes]
        for start in range(0, len(left), BATCH_SIZE):
            some = left[start : start + BATCH_SIZE]
            answers = site.client.batch([writes[at].part for at in some])
            for at, answer in zip(some, answers, strict=True):
                outcome = judge(writes[at].write, answer)
                if outcome.status is WriteStatus.REJECTED:
                    raise _refused(answer, outcome)
                if outcome.status in _SETTLED:
                    outcomes[at] = outcome
        if len(outcomes) == len(writes):
            return [outcomes[at] for at in range(len(writes))]
    raise FatalError(
        f"SharePoint gave no answer for {len(writes) - len(outcomes)} rows of the worker's own lists.",
        hint="Run it again: what was written stands.",
    )


def _refused(answer: PartAnswer | None, outcome: WriteOutcome) -> FatalError:
    if answer is not None and answer.status in _NO_RIGHT:
        return AccessDeniedError(
            f"SharePoint refused a row of the worker's own lists: {outcome.detail}", hint=GRANT_HINT
        )
    return FatalError(f"SharePoint refused a row of the worker's own lists: {outcome.detail}", hint=_PROVISION)
