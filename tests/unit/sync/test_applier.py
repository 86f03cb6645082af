"""Applying a plan: each answer is taken at its word, and what an answer leaves open is looked up."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from worker.domain.plan import Change, ChangeKind, FieldChange
from worker.domain.profile import FieldRule, ImportType, Profile, SourceKind, WriteRule
from worker.domain.values import Column, ColumnKind, Item, TargetKind, Value
from worker.ports import Create, Write, WriteOutcome, WriteStatus
from worker.sync.applier import Applied, Applier

COLUMNS = {n: Column(n, n, n, ColumnKind.TEXT) for n in ("CustomerID", "Title", "EMail", "Phone")}
PROFILE = Profile(
    "Customers",
    SourceKind.CUSTOMER,
    TargetKind.COMPANY,
    ImportType.IMPORT_AND_UPDATE,
    "CustomerID",
    "Number",
    (
        FieldRule("CustomerID", "Number"),
        FieldRule("Title", "Name"),
        FieldRule("EMail", "Email", WriteRule.FILL_IF_BLANK),
        FieldRule("Phone", "Phone", WriteRule.ON_CREATE_ONLY),
    ),
)

Answer = Callable[["ListFake", Write], WriteOutcome]


class Quiet:
    """Nobody watches."""

    def started(self, label: str, total: int | None) -> None: ...

    def advanced(self, count: int) -> None: ...

    def finished(self) -> None: ...


class ListFake:
    """A list whose answers to the first sends can be scripted; behaves well afterwards."""

    kind = TargetKind.COMPANY
    columns = COLUMNS

    def __init__(self, items: Sequence[Item] = (), script: Sequence[Answer] = ()) -> None:
        self.held = {item.item_id: item for item in items}
        self.script = list(script)
        self.sent: list[Write] = []

    def items(self, columns: Sequence[str]) -> Iterator[Item]:
        yield from self.held.values()

    def find(self, column: str, values: Sequence[str], columns: Sequence[str]) -> list[Item]:
        return [item for item in self.held.values() if item.values.get(column) in values]

    def write(self, writes: Iterable[Write]) -> Iterator[WriteOutcome]:
        for write in writes:
            self.sent.append(write)
            answer = self.script.pop(0) if self.script else commit
            yield answer(self, write)

    def put(self, write: Write) -> Item:
        if isinstance(write, Create):
            item = Item(max(self.held, default=0) + 1, "1", dict(write.values))
        else:
            old = self.held[write.item_id]
            item = replace(old, version=old.version + "+", values={**old.values, **write.values})
        self.held[item.item_id] = item
        return item


def commit(fake: ListFake, write: Write) -> WriteOutcome:
    """A well-behaved server, versions included."""
    if not isinstance(write, Create):
        if write.item_id not in fake.held:
            return WriteOutcome(write, WriteStatus.GONE)
        if fake.held[write.item_id].version != write.version:
            return WriteOutcome(write, WriteStatus.CHANGED_MEANWHILE)
    item = fake.put(write)
    return WriteOutcome(write, WriteStatus.DONE, item.item_id, item.version)


def lost_after_commit(fake: ListFake, write: Write) -> WriteOutcome:
    commit(fake, write)
    return WriteOutcome(write, WriteStatus.UNKNOWN)


def lost_before_commit(fake: ListFake, write: Write) -> WriteOutcome:
    return WriteOutcome(write, WriteStatus.UNKNOWN)


def person_saves(**values: Value) -> Answer:
    """Somebody saves the item between our read and our write."""

    def answer(fake: ListFake, write: Write) -> WriteOutcome:
        assert not isinstance(write, Create)
        old = fake.held[write.item_id]
        fake.held[write.item_id] = replace(old, version=f"{old.version}p", values={**old.values, **values})
        return commit(fake, write)

    return answer


def create(key: str, **values: Value) -> Change:
    return Change(ChangeKind.CREATE, key, fields({"CustomerID": key, **values}))


def update(item: Item, **values: Value) -> Change:
    changed = tuple(FieldChange(name, item.values.get(name), value) for name, value in values.items())
    return Change(ChangeKind.UPDATE, str(item.values["CustomerID"]), changed, item.item_id, item.version)


def fields(values: Mapping[str, Value]) -> tuple[FieldChange, ...]:
    return tuple(FieldChange(name, None, value) for name, value in values.items())


def apply(fake: ListFake, *changes: Change, stop: threading.Event | None = None) -> list[Applied]:
    return Applier(PROFILE, fake, {}, stop or threading.Event(), Quiet()).apply(changes)


OLD = Item(5, "1", {"CustomerID": "7", "Title": "Old", "EMail": None})


def test_a_create_whose_answer_was_lost_is_found_by_its_key_and_never_doubled():
    """The item stands in the list: nothing is sent again."""
    fake = ListFake(script=[lost_after_commit])
    (done,) = apply(fake, create("7", Title="New"))
    assert done.done
    assert done.item_id == 1
    assert len(fake.held) == len(fake.sent) == 1


def test_a_create_that_never_arrived_is_sent_again():
    """Nothing stands in the list: the same create goes out once more."""
    fake = ListFake(script=[lost_before_commit])
    (done,) = apply(fake, create("7", Title="New"))
    assert done.done
    assert len(fake.held) == 1


def test_an_update_after_a_person_saved_something_else_goes_through_with_the_new_version():
    """412, read again, only what still differs is sent."""
    fake = ListFake([OLD], [person_saves(JobTitle="x")])
    (done,) = apply(fake, update(OLD, Title="New"))
    assert done.done
    assert fake.held[5].values["Title"] == "New"
    assert fake.held[5].values["JobTitle"] == "x"


def test_fill_if_blank_gives_way_to_a_person_who_filled_it_meanwhile():
    """The rule is judged again on what stands there now."""
    fake = ListFake([OLD], [person_saves(EMail="person@example.com")])
    (done,) = apply(fake, update(OLD, Title="New", EMail="erp@example.com"))
    assert done.done
    assert fake.held[5].values["EMail"] == "person@example.com"


def test_a_second_conflict_is_a_row_outcome_not_an_overwrite():
    """Retried once; then the row is reported as changed meanwhile."""
    fake = ListFake([OLD], [person_saves(Phone="1"), person_saves(Phone="2")])
    (left,) = apply(fake, update(OLD, Title="New"))
    assert (left.done, left.code) == (False, "changed-meanwhile")
    assert fake.held[5].values["Title"] == "Old"


def test_a_deleted_item_is_reported_and_not_made_anew():
    """The next run decides, with a plan."""
    (left,) = apply(ListFake(), update(OLD, Title="New"))
    assert (left.done, left.code) == (False, "gone")


def test_a_duplicate_that_already_is_as_wanted_counts_as_done():
    """Another worker made it first."""
    twin = Item(9, "1", {"CustomerID": "7", "Title": "New"})
    fake = ListFake([twin], [lambda _, write: WriteOutcome(write, WriteStatus.DUPLICATE)])
    (done,) = apply(fake, create("7", Title="New"))
    assert done.done
    assert done.item_id == 9
    assert len(fake.held) == 1


def test_a_rejected_row_does_not_stop_the_others():
    """The service's own words are kept for the row result."""
    no = lambda _, write: WriteOutcome(write, WriteStatus.REJECTED, detail="Invalid text value.")  # noqa: E731
    fake = ListFake(script=[no])
    left, done = apply(fake, create("7"), create("8"))
    assert (left.code, left.facts) == ("rejected", {"detail": "Invalid text value."})
    assert done.done


def test_a_stop_takes_no_new_changes_and_settles_what_was_sent():
    """After the signal the rest is reported as stopped."""
    stop = threading.Event()

    def commit_and_stop(fake: ListFake, write: Write) -> WriteOutcome:
        stop.set()
        return lost_after_commit(fake, write)

    fake = ListFake(script=[commit_and_stop])
    first, second = apply(fake, create("7"), create("8"), stop=stop)
    assert first.done
    assert (second.done, second.code) == (False, "stopped")


answers = st.lists(st.sampled_from([commit, lost_after_commit, lost_before_commit]), max_size=40)


@given(st.lists(st.integers(1, 30).map(str), unique=True, max_size=12), answers)
def test_lost_answers_never_double_or_lose_a_row(keys, script):
    """Whatever answers get lost, each key ends up once, and is reported as it stands."""
    fake = ListFake(script=script)
    results = apply(fake, *(create(key, Title=f"T{key}") for key in keys))
    assert [r.change.key for r in results] == keys
    stored = [item.values["CustomerID"] for item in fake.held.values()]
    assert sorted(stored) == sorted({*stored})
    assert {r.change.key for r in results if r.done} == set(stored)
