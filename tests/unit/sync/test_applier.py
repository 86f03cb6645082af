"""Applying a plan: each answer is taken at its word, and what an answer leaves open is looked up."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence

from hypothesis import given
from hypothesis import strategies as st

from tests.fakes.fake_target import BATCH, Answer, FakeTarget, done, lost_after_saving, lost_before_saving, rejected
from tests.fakes.quiet import Quiet
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


def apply(target: FakeTarget, *changes: Change, stop: threading.Event | None = None) -> list[Applied]:
    return Applier(PROFILE, target, {}, stop or threading.Event(), Quiet()).apply(changes)


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
