"""Keys that go from item to item: whoever takes one finds it given up, whatever way they go round."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from worker.domain.key_order import freed_keys, given_up, in_order, taken, unparked, waves
from worker.domain.plan import Change, ChangeKind, FieldChange

KEY = "CustomerID"


def moved(item: int, before: str, after: str | None) -> Change:
    return Change(ChangeKind.UPDATE, after or before, (FieldChange(KEY, before, after),), item, "1")


def made(key: str) -> Change:
    return Change(ChangeKind.CREATE, key, (FieldChange(KEY, None, key),))


@st.composite
def shuffled_numbers(draw: st.DrawFn) -> list[Change]:
    """Items that move, some to numbers that others have, some to none; and new ones for numbers that came free."""
    numbers = [str(number) for number in range(1, 9)]
    olds = draw(st.lists(st.sampled_from(numbers), unique=True))
    news = draw(st.permutations([*olds, "91", "92"]))
    blank = draw(st.sets(st.sampled_from(numbers)))
    changes = [
        moved(at, old, None if old in blank else new) for at, (old, new) in enumerate(zip(olds, news, strict=False), 1)
    ]
    changes = [one for one in changes if given_up(one, KEY)]
    free = {one.fields[0].before for one in changes} - {one.fields[0].after for one in changes}
    created = draw(st.sets(st.sampled_from(sorted(map(str, free))))) if free else set()
    return draw(st.permutations([*changes, *map(made, sorted(created))]))


def written(changes: list[Change], held: dict[int, str | None]) -> dict[int, str | None]:
    """One after the other, as a list with a unique column takes them."""
    for change in changes:
        new = taken(change, KEY)
        assert new is None or new not in held.values(), f"{new} twice"
        held[change.item_id or -len(held)] = new
    return held


@given(shuffled_numbers())
def test_no_two_items_ever_carry_one_number(changes):
    before = {one.item_id: str(one.fields[0].before) for one in changes if one.item_id}
    ordered = in_order(changes, KEY)
    after = written(ordered, dict(before))
    wanted = [one.fields[0].after for one in changes]
    assert sorted(map(str, after.values())) == sorted(map(str, wanted))
    assert all(after[one.item_id] == one.fields[0].after for one in changes if one.item_id)


@given(shuffled_numbers())
def test_what_is_written_side_by_side_depends_on_nothing_beside_it(changes):
    ordered = in_order(changes, KEY)
    parts = list(waves(ordered, KEY))
    assert [at for part in parts for at in part] == list(range(len(ordered)))
    for part in parts:
        given_here = {given_up(ordered[at], KEY) for at in part} - {None}
        assert not given_here & {taken(ordered[at], KEY) for at in part}


@given(shuffled_numbers())
def test_an_item_steps_aside_in_a_ring_only(changes):
    """And its step says whence and whither."""
    added = [one for one in in_order(changes, KEY) if one not in changes and one.kind is ChangeKind.FLAG]
    givers = freed_keys(changes, KEY)
    for step in added:
        way = unparked(step.key)
        assert way is not None
        assert way[0] in givers
        assert way[1] in givers


def test_other_changes_keep_their_places():
    """A number that nobody gives up is nobody's to wait for."""
    changes = [made("7"), moved(1, "1", "9"), made("8"), moved(2, " 3", "3")]
    assert in_order(changes, KEY) == changes
    assert list(waves(changes, KEY)) == [range(4)]
