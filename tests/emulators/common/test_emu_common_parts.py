"""Faults, switches and the meter, each alone."""

import pytest

from worker.emulators.common.faults import Faults
from worker.emulators.common.meter import Meter, Note, caller_of
from worker.emulators.common.switches import Switch, Switches

KNOWN = frozenset({"429", "cut"})


def test_same_seed_same_faults() -> None:
    """Two fault sources with one seed hit at the same chances, so a failing run can be repeated."""
    first, second = Faults(seed=7), Faults(seed=7)
    for faults in (first, second):
        faults.set("429", 0.3)
    hits = [first.hit("429") for _ in range(200)]
    assert hits == [second.hit("429") for _ in range(200)]
    assert 30 < sum(hits) < 90


def test_rate_one_always_and_zero_never() -> None:
    """A rate of 1 hits every time; a fault without a rate never."""
    faults = Faults()
    faults.set("cut", 1.0)
    assert all(faults.hit("cut") for _ in range(50))
    assert not any(faults.hit("429") for _ in range(50))


def test_once_hits_the_next_chances_only() -> None:
    """An armed fault hits its next chances and then falls silent."""
    faults = Faults()
    faults.once("cut", 2)
    assert [faults.hit("cut") for _ in range(4)] == [True, True, False, False]


def test_parse_sets_all_or_nothing() -> None:
    """NAME=RATE texts set rates; one wrong name sets none and names the allowed ones."""
    faults = Faults()
    with pytest.raises(ValueError, match="unknown fault 'x'; the faults are 429, cut"):
        faults.parse(["cut=1", "x=0.1"], KNOWN)
    assert not faults.hit("cut")
    faults.parse(["cut=1"], KNOWN)
    assert faults.hit("cut")


@pytest.mark.parametrize("text", ["cut=often", "cut=2", "cut=-1"])
def test_parse_refuses_a_wrong_rate(text: str) -> None:
    """A rate that is not a number from 0 to 1 is refused."""
    with pytest.raises(ValueError, match="0"):
        Faults().parse([text], KNOWN)


def test_switch_names_what_is_allowed() -> None:
    """A switch starts at its first value and refuses others with the allowed ones in the sentence."""
    switches = Switches({"delete": Switch(("recycle", "permanent"), "what DELETE does")})
    assert switches.get("delete") == "recycle"
    with pytest.raises(ValueError, match="allowed: recycle, permanent"):
        switches.set("delete", "burn")
    with pytest.raises(ValueError, match="unknown switch 'x'"):
        switches.set("x", "y")
    switches.set("delete", "permanent")
    assert switches.as_dict()["delete"]["value"] == "permanent"
    switches.reset()
    assert switches.get("delete") == "recycle"


def test_meter_counts_by_caller_target_and_part() -> None:
    """A batch is one request, while its parts are counted by target."""
    meter = Meter()
    meter.record("w/1", "GET", "items", is_write=False, target="Companies", cost=2, status=200)
    parts = [("Companies", True), ("Companies", False), ("Contacts", True)]
    meter.record_note("w/1", "POST", 200, Note("$batch", is_write=True, cost=5, parts=parts))
    counts = meter.snapshot()["callers"]["w/1"]
    assert counts == {
        "requests": 2,
        "reads": 1,
        "writes": 1,
        "batches": 1,
        "parts": 3,
        "cost": 7,
        "by_target": {"Companies": {"reads": 2, "writes": 1}, "Contacts": {"reads": 0, "writes": 1}},
        "by_route": {"GET items": 1, "POST $batch": 1},
        "by_status": {"200": 2},
    }
    assert meter.snapshot()["total"] == counts
    meter.reset()
    assert meter.snapshot()["callers"] == {}


def test_caller_is_the_agent_up_to_its_first_space() -> None:
    """The caller is the User-Agent up to its first space."""
    assert caller_of("NONISV|x|worker/1.0 (python)") == "NONISV|x|worker/1.0"
