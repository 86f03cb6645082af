"""Applying a plan: each answer is taken at its word, and what an answer leaves open is looked up."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes.fake_target import BATCH, Answer, FakeTarget, done, lost_after_saving, lost_before_saving, rejected
from tests.fakes.fake_work import make_fake_stores
from tests.fakes.quiet import Quiet, StillClock
from worker.domain.key_order import freed_keys
from worker.domain.plan import Change, ChangeKind, FieldChange
from worker.domain.profile import FieldRule, ImportType, Profile, SourceKind, WriteRule
from worker.domain.values import Column, ColumnKind, Item, TargetKind, Value
from worker.engine.journal import RunJournal
from worker.errors import UnavailableError
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


def fake(*items: Item, script: Sequence[Answer] = ()) -> FakeTarget:
    """A list that holds these items; the first writes go by the script."""
    target = FakeTarget(TargetKind.COMPANY, COLUMNS)
    for item in items:
        target.keep(item.item_id, 1, item.values)
    target.script.extend(script)
    return target


def person_saves(**values: Value) -> Answer:
    """Somebody saves the item between our read and our write."""

    def answer(target: FakeTarget, write: Write) -> WriteOutcome:
        assert not isinstance(write, Create)
        target.edit(write.item_id, **values)
        return done(target, write)

    return answer


def create(key: str, **values: Value) -> Change:
    return Change(ChangeKind.CREATE, key, fields({"CustomerID": key, **values}))


def update(item: Item, **values: Value) -> Change:
    changed = tuple(FieldChange(name, item.values.get(name), value) for name, value in values.items())
    return Change(ChangeKind.UPDATE, str(item.values["CustomerID"]), changed, item.item_id, item.version)


def fields(values: Mapping[str, Value]) -> tuple[FieldChange, ...]:
    return tuple(FieldChange(name, None, value) for name, value in values.items())


def apply(
    target: FakeTarget,
    *changes: Change,
    stop: threading.Event | None = None,
    keep: Callable[[Sequence[Change]], None] = lambda _: None,
    unsure: bool = False,
) -> list[Applied]:
    freed = freed_keys(changes, PROFILE.key_target)
    return Applier(PROFILE, target, {}, stop or threading.Event(), Quiet(), keep, freed).apply(changes, unsure=unsure)


OLD = Item(5, '"guid-5,1"', {"CustomerID": "7", "Title": "Old", "EMail": None})


def test_a_create_whose_answer_was_lost_is_found_by_its_key_and_never_doubled():
    """The item stands in the list: nothing is sent again."""
    target = fake(script=[lost_after_saving])
    (result,) = apply(target, create("7", Title="New"))
    assert result.done
    assert result.item_id == 1
    assert len(target.held) == len(target.written) == 1


def test_a_create_that_never_arrived_is_sent_again():
    """Nothing stands in the list: the same create goes out once more."""
    target = fake(script=[lost_before_saving])
    (result,) = apply(target, create("7", Title="New"))
    assert result.done
    assert len(target.held) == 1


def test_an_update_after_a_person_saved_something_else_goes_through_with_the_new_version():
    """412, read again, only what still differs is sent."""
    target = fake(OLD, script=[person_saves(JobTitle="x")])
    (result,) = apply(target, update(OLD, Title="New"))
    assert result.done
    assert target.held[5].values["Title"] == "New"
    assert target.held[5].values["JobTitle"] == "x"


def test_fill_if_blank_gives_way_to_a_person_who_filled_it_meanwhile():
    """The rule is judged again on what stands there now."""
    target = fake(OLD, script=[person_saves(EMail="person@example.com")])
    (result,) = apply(target, update(OLD, Title="New", EMail="erp@example.com"))
    assert result.done
    assert target.held[5].values["EMail"] == "person@example.com"


def test_a_second_conflict_is_a_row_outcome_not_an_overwrite():
    """Retried once; then the row is reported as changed meanwhile."""
    target = fake(OLD, script=[person_saves(Phone="1"), person_saves(Phone="2")])
    (left,) = apply(target, update(OLD, Title="New"))
    assert (left.done, left.code) == (False, "changed-meanwhile")
    assert target.held[5].values["Title"] == "Old"


def test_a_deleted_item_is_reported_and_not_made_anew():
    """The next run decides, with a plan."""
    (left,) = apply(fake(), update(OLD, Title="New"))
    assert (left.done, left.code) == (False, "gone")


def test_a_duplicate_that_already_is_as_wanted_counts_as_done():
    """Another worker made it first."""
    twin = Item(9, "1", {"CustomerID": "7", "Title": "New"})
    target = fake(twin, script=[lambda _, write: WriteOutcome(write, WriteStatus.DUPLICATE)])
    (result,) = apply(target, create("7", Title="New"))
    assert result.done
    assert result.item_id == 9
    assert len(target.held) == 1


def test_a_rejected_row_does_not_stop_the_others():
    """The service's own words are kept for the row result."""
    target = fake(script=[rejected])
    left, result = apply(target, create("7"), create("8"))
    assert (left.code, left.facts) == ("rejected", {"detail": "The list has a rule against it."})
    assert result.done


def test_a_stop_takes_no_new_changes_and_settles_what_was_sent():
    """After the signal the rest is reported as stopped."""
    stop = threading.Event()

    def save_and_stop(target: FakeTarget, write: Write) -> WriteOutcome:
        stop.set()
        return lost_after_saving(target, write)

    target = fake(script=[save_and_stop])
    results = apply(target, *(create(str(number)) for number in range(BATCH + 5)), stop=stop)
    assert [result.done for result in results] == [True] * BATCH + [False] * 5
    assert {result.code for result in results[BATCH:]} == {"stopped"}
    assert len(target.held) == BATCH


def test_an_item_that_loses_its_key_is_found_without_it_when_the_answer_was_lost():
    """It was done: nothing is sent again, and it is not gone."""
    target = fake(OLD, script=[lost_after_saving])
    flag = Change(ChangeKind.FLAG, "7", (FieldChange("CustomerID", "7", None),), 5, OLD.version)
    (result,) = apply(target, flag)
    assert result.done
    assert len(target.written) == 1


def kept_of(told: Sequence[Change]) -> list[tuple[str, int | None, dict[str, tuple[Value, Value]]]]:
    """What the journal gives back of what it was told, in another process."""
    clock = StillClock()
    records = make_fake_stores(clock).records
    for one in told:
        RunJournal(records, "default", clock, 30).keep("run", PROFILE, 1, [one])
    kept = RunJournal(records, "default", clock, 30).read("run")
    changes = kept.changes if kept else ()
    return [(c.kind.value, c.item_id, {f.column: (f.before, f.after) for f in c.fields}) for c in changes]


def test_the_journal_knows_what_is_overwritten_before_it_is_sent():
    """Nothing is sent that could not be undone."""
    told: list[Change] = []
    seen: list[int] = []

    def look(target: FakeTarget, write: Write) -> WriteOutcome:
        seen.append(len(told))
        return done(target, write)

    apply(fake(OLD, script=[look]), update(OLD, Title="New"), keep=told.extend)
    assert seen == [1]
    assert kept_of(told) == [("Update", 5, {"Title": ("Old", "New")})]


def test_after_a_conflict_the_journal_holds_what_the_person_had_typed():
    """It is that which was overwritten, not what the plan saw."""
    told: list[Change] = []
    apply(fake(OLD, script=[person_saves(Title="Typed")]), update(OLD, Title="New"), keep=told.extend)
    assert kept_of(told) == [("Update", 5, {"Title": ("Typed", "New")})]


def test_what_a_person_typed_in_our_stead_is_not_ours():
    """The same value as ours, or into a blank that we would have filled."""
    told: list[Change] = []
    target = fake(OLD, script=[person_saves(Title="New", EMail="person@example.com")])
    apply(target, update(OLD, Title="New", EMail="erp@example.com"), keep=told.extend)
    assert kept_of(told) == []


def test_a_refused_row_overwrote_nothing():
    """Whoever writes the same later, it is not this run's."""
    told: list[Change] = []
    apply(fake(OLD, script=[rejected, rejected]), update(OLD, Title="New"), create("8"), keep=told.extend)
    assert kept_of(told) == []


def test_a_row_that_people_keep_changing_overwrote_nothing():
    told: list[Change] = []
    target = fake(OLD, script=[person_saves(Title="1"), person_saves(Title="2")])
    apply(target, update(OLD, Title="New"), keep=told.extend)
    assert kept_of(told) == []


def test_what_was_not_sent_any_more_overwrote_nothing():
    """After a stop, and when the service fails: another run will write it, and this one must not take that back."""
    stop = threading.Event()

    def save_and_stop(target: FakeTarget, write: Write) -> WriteOutcome:
        stop.set()
        return done(target, write)

    def away(_target: FakeTarget, _write: Write) -> WriteOutcome:
        raise UnavailableError("SharePoint is away.")

    olds = [Item(number, f'"guid-{number},1"', {"CustomerID": str(number), "Title": "Old"}) for number in range(1, 151)]
    changes = [update(old, Title="New") for old in olds]
    told: list[Change] = []
    apply(fake(*olds, script=[save_and_stop]), *changes, stop=stop, keep=told.extend)
    assert [item_id for _, item_id, _ in kept_of(told)] == list(range(1, BATCH + 1))
    told = []
    with pytest.raises(UnavailableError):
        apply(fake(*olds, script=[done, away]), *changes, keep=told.extend)
    assert [item_id for _, item_id, _ in kept_of(told)] == list(range(1, BATCH + 1))


def test_a_lost_answer_is_ours_where_it_stands_so():
    """And what a person changed after it is what our second write overwrites."""
    told: list[Change] = []

    def saved_and_changed(target: FakeTarget, write: Write) -> WriteOutcome:
        answer = lost_after_saving(target, write)
        target.edit(5, Title="Typed")
        return answer

    apply(fake(OLD, script=[saved_and_changed]), update(OLD, Title="New", Phone="1"), keep=told.extend)
    assert kept_of(told) == [("Update", 5, {"Title": ("Typed", "New"), "Phone": (None, "1")})]


def test_after_a_kill_what_was_kept_before_it_stays():
    """The dead process had met a person's value and overwritten it; the next one finds it done."""
    told: list[Change] = []
    planned = update(OLD, Title="New")
    target = fake(OLD, script=[person_saves(Title="Typed")])
    apply(target, planned, keep=told.extend)
    (again,) = apply(target, planned, keep=told.extend, unsure=True)
    assert again.done
    assert kept_of(told) == [("Update", 5, {"Title": ("Typed", "New")})]


def test_a_new_item_is_known_by_its_id_however_it_was_made():
    """By its answer, by looking after a lost one, and in the process after a kill."""
    wanted = [("Create", 1, {"CustomerID": (None, "7"), "Title": (None, "New")})]
    for script in ([], [lost_after_saving], [lost_before_saving]):
        told: list[Change] = []
        apply(fake(script=script), create("7", Title="New"), keep=told.extend)
        assert kept_of(told) == wanted
    told = []
    apply(fake(), create("7", Title="New"), keep=told.extend, unsure=True)
    assert kept_of(told) == wanted


def test_an_item_that_somebody_made_first_is_not_ours_and_what_it_held_is_kept():
    """A duplicate becomes an update: undoing sets it back and never removes it."""
    told: list[Change] = []
    twin = Item(9, "1", {"CustomerID": "7", "Title": "Typed"})
    target = fake(twin, script=[lambda _, write: WriteOutcome(write, WriteStatus.DUPLICATE)])
    apply(target, create("7", Title="New"), keep=told.extend)
    assert kept_of(told) == [("Update", 9, {"Title": ("Typed", "New")})]


answers = st.lists(st.sampled_from([done, lost_after_saving, lost_before_saving]), max_size=40)


@given(st.lists(st.integers(1, 30).map(str), unique=True, max_size=12), answers)
def test_lost_answers_never_double_or_lose_a_row(keys, script):
    """Whatever answers get lost, each key ends up once, and is reported as it stands."""
    target = fake(script=script)
    results = apply(target, *(create(key, Title=f"T{key}") for key in keys))
    assert [r.change.key for r in results] == keys
    stored = [item.values["CustomerID"] for item in target.held.values()]
    assert sorted(stored) == sorted({*stored})
    assert {r.change.key for r in results if r.done} == set(stored)
