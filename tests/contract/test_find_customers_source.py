"""Finding customers by what a person types, over real HTTP: order, limit, price, and hostile texts."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from source_worlds import CONTACTS, CUSTOMERS, TODAY, EmulatorWorld, Records, customer

from worker.emulators.dataset import generate

HOSTILE = ("a$b", "(x)", "50% *", "Bo, Ib & Co", "[A] B", "$$(", "]", "_", "x$or:barred$eq:true", "a)$or:(name$like:*")
NAMES = 4  # requests for the names customers refer to, once per source
PEOPLE = (
    *CUSTOMERS,
    customer(10, "Firma 10000009", cvr="DK 20 00 00 08"),
    customer(11, "Filial", cvr="DK 10000009"),
    customer(12, "Filial to", cvr="10 00 00 09"),
    customer(13, "Fremmed", cvr="SE110000009101"),
    customer(10_000_009, "Tal"),
    *(customer(100 + at, f"Odd {text}") for at, text in enumerate(HOSTILE)),
)


@pytest.fixture(scope="module")
def world() -> Iterator[EmulatorWorld]:
    """Customers with names and numbers of all kinds; only read."""
    with EmulatorWorld(Records(PEOPLE, CONTACTS, ())) as made:
        yield made


def found(world: EmulatorWorld, text: str, limit: int = 20) -> list[int]:
    return [one.number for one in world.source.find_customers(text, limit)]


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("ærø møbler", [1]),
        ("ØST", [3]),
        ('"import" &', [3]),
        ("æ", [1, 5]),
        ("3", [3]),
        ("10000009", [10_000_009, 1, 11, 12, 10]),
        ("DK 10 00 00 09", [1, 11, 12]),
        ("dk20000008", [10]),
        ("fremmed", [13]),
        ("nobody", []),
        ("4711", []),
        ("*", [102, 109]),
        ("fili*", []),
        ("[ABC]", []),
        ("%", [102]),
        ("$null:", []),
    ],
)
def test_number_then_cvr_then_name(world: EmulatorWorld, text: str, numbers: list[int]) -> None:
    """Each customer once; names in any case and part; signs of the filter grammar mean themselves."""
    assert found(world, text) == numbers


@pytest.mark.parametrize(("at", "text"), list(enumerate(HOSTILE)))
def test_a_hostile_text_finds_what_has_it_in_its_name_and_nothing_else(
    world: EmulatorWorld, at: int, text: str
) -> None:
    """Not an error, not everybody."""
    expected = [one.number for one in PEOPLE if text.casefold() in one.name.casefold()]
    assert 100 + at in expected
    assert found(world, text) == expected


def test_found_customers_are_whole(world: EmulatorWorld) -> None:
    """The same records as in the full list, names joined, whichever way they were found."""
    whole = {one.number: one for one in world.source.customers()}
    for one in world.source.find_customers("10000009"):
        assert one == whole[one.number]


@pytest.mark.parametrize("limit", [1, 2, 4])
def test_the_limit_keeps_the_best(world: EmulatorWorld, limit: int) -> None:
    """The order of meanings holds, however few are wanted."""
    assert found(world, "10000009", limit) == [10_000_009, 1, 11, 12, 10][:limit]


@pytest.mark.parametrize("text", ["", "  ", "\n\x00"])
def test_a_blank_text_finds_nothing_and_asks_nothing(world: EmulatorWorld, text: str) -> None:
    """Nobody is meant, not everybody; nor is anybody where none is wanted."""
    before = world.source.usage().requests
    assert found(world, text) == []
    assert found(world, "filial", 0) == found(world, "filial", -3) == []
    assert world.source.usage().requests == before


def test_finding_costs_a_request_per_meaning_and_small_pages() -> None:
    """At most three small answers whatever the size of the agreement; fewer when enough are found."""
    with EmulatorWorld(Records(), data=generate("small", 1, TODAY)) as world:
        source = world.connect()
        source.find_customers("a", 5)
        assert source.usage().requests == 1 + NAMES
        taken = str(next(source.customers()).number)
        for text, limit, cost in [("a", 5, 1), (taken, 5, 2), ("10000009", 5, 3), (taken, 1, 1), ("a", 10**6, 1)]:
            before = source.usage().requests
            assert len(source.find_customers(text, limit)) <= limit
            assert source.usage().requests - before <= cost


def test_customers_by_their_numbers(world: EmulatorWorld) -> None:
    """A hundred by one request, whatever their length; none for none."""
    source = world.source
    there = {one.number for one in PEOPLE}
    absent = range(999_999_000, 999_999_150)
    source.customers_where("customerNumber$eq:1", 1)
    before = source.usage().requests
    assert {one.number for one in source.customers_numbered([*sorted(there), *absent])} == there
    assert source.usage().requests - before == 2
    assert source.customers_numbered([]) == []
    assert source.usage().requests - before == 2


def test_customers_of_one_cvr_number(world: EmulatorWorld) -> None:
    """However it is written; by number."""
    assert [one.number for one in world.source.customers_of_cvr("10000009")] == [1, 11, 12]
    assert world.source.customers_of_cvr("99999999") == []
