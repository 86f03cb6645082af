"""What every WorkQueue, Leases and Records must do: in memory, in a SQLite file, and in Azure storage.

Where the ports leave a choice, all stores chose the same:
- a lease on a name without a record is no record: it is neither read nor listed, and a first write takes its place;
- a lease that ran out may still be renewed while nobody has taken its name or written its record since; but a write
  with it is refused until then;
- a write without a hold, and a removal, of a name that is leased raise ConflictError; a removal of no record does
  nothing;
- a write whose hold is lost raises LeaseLostError, whatever its version;
- names, bodies, delays and lease times that one of the stores could not take are refused by all of them.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

import pytest
from work_worlds import KINDS, SHORTEST_LEASE, WorkWorld, make_world

from worker.errors import ConflictError, FatalError, LeaseLostError
from worker.ports import ANY_VERSION, Delivery, Hold, Leases, Records, WorkQueue

NAME = "work/acme"
HOUR = 3600.0
THREADS = 16
_T = TypeVar("_T")


@pytest.fixture(params=KINDS)
def world(request: pytest.FixtureRequest, tmp_path: Path) -> WorkWorld:
    return make_world(request.param, tmp_path)


@pytest.fixture
def queue(world: WorkWorld) -> WorkQueue:
    return world.stores.queue


@pytest.fixture
def leases(world: WorkWorld) -> Leases:
    return world.stores.leases


@pytest.fixture
def records(world: WorkWorld) -> Records:
    return world.stores.records


def taken(queue: WorkQueue, hide_seconds: float = HOUR) -> Delivery:
    delivery = queue.receive(hide_seconds)
    assert delivery is not None
    return delivery


def held(leases: Leases, name: str = NAME, seconds: float = 60.0) -> Hold:
    hold = leases.acquire(name, seconds)
    assert hold is not None
    return hold


def at_once(work: Callable[[int], _T]) -> list[_T]:
    """The answers of many threads that do `work` at the same time."""
    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(work, range(THREADS)))


class TestWorkQueue:
    def test_a_new_queue_is_empty(self, queue: WorkQueue) -> None:
        assert queue.receive(HOUR) is None
        assert queue.waiting() == 0

    def test_a_message_comes_as_it_was_sent_and_then_nobody_else_sees_it(self, world: WorkWorld) -> None:
        body = '{"connection": "Ærø & Sønner <aps>", "job": "blåbærgrød\u2028\u0001"}'
        world.stores.queue.send(body)
        delivery = taken(world.other.queue)
        assert (delivery.body, delivery.tries) == (body, 1)
        assert world.stores.queue.receive(HOUR) is None
        assert world.stores.queue.waiting() == 1

    def test_a_message_that_is_done_never_comes_back(self, queue: WorkQueue) -> None:
        queue.send("one")
        queue.done(taken(queue))
        assert queue.waiting() == 0

    def test_a_delayed_message_waits(self, queue: WorkQueue) -> None:
        queue.send("later", delay=HOUR)
        assert queue.receive(HOUR) is None
        assert queue.waiting() == 1

    def test_a_delayed_message_comes_after_its_delay(self, world: WorkWorld) -> None:
        world.stores.queue.send("soon", delay=1)
        assert world.wait_for(lambda: world.stores.queue.receive(HOUR), 1).body == "soon"

    def test_a_message_may_be_delayed_by_seven_days(self, queue: WorkQueue) -> None:
        queue.send("next week", delay=7 * 86400)
        assert queue.waiting() == 1

    def test_a_message_that_is_not_done_comes_back_and_counts_its_tries(self, world: WorkWorld) -> None:
        world.stores.queue.send("again")
        first = taken(world.stores.queue, 1)
        second = world.wait_for(lambda: world.other.queue.receive(1), 1)
        third = world.wait_for(lambda: world.stores.queue.receive(HOUR), 1)
        assert [one.tries for one in (first, second, third)] == [1, 2, 3]
        assert {one.body for one in (first, second, third)} == {"again"}

    def test_the_receipt_of_who_lost_a_message_is_worth_nothing(self, world: WorkWorld) -> None:
        queue = world.stores.queue
        queue.send("mine")
        old = taken(queue, 1)
        new = world.wait_for(lambda: world.other.queue.receive(HOUR), 1)
        with pytest.raises(LeaseLostError):
            queue.extend(old, HOUR)
        queue.done(old)
        queue.give_back(old, 0)
        queue.bury(old)
        assert queue.receive(HOUR) is None
        assert (queue.waiting(), queue.poison().waiting()) == (1, 0)
        world.other.queue.done(new)
        assert queue.waiting() == 0

    def test_an_extended_message_stays_hidden_past_its_first_time(self, world: WorkWorld) -> None:
        """The marker, sent later and visible later than the first hiding, is all there is to see."""
        queue = world.stores.queue
        queue.send("long work")
        first = taken(queue, 1)
        second = queue.extend(first, HOUR)
        queue.send("marker", delay=2)
        assert world.wait_for(lambda: world.other.queue.receive(HOUR), 2).body == "marker"
        with pytest.raises(LeaseLostError):
            queue.extend(first, HOUR)
        queue.done(first)
        assert queue.waiting() == 2
        queue.done(second)
        assert queue.waiting() == 1

    def test_a_message_that_is_gone_can_not_be_extended(self, queue: WorkQueue) -> None:
        queue.send("short")
        delivery = taken(queue)
        queue.done(delivery)
        with pytest.raises(LeaseLostError):
            queue.extend(delivery, HOUR)
        queue.done(delivery)

    def test_a_message_that_was_given_back_comes_again(self, queue: WorkQueue) -> None:
        queue.send("failed")
        first = taken(queue)
        queue.give_back(first, 0)
        second = taken(queue)
        assert (second.body, second.tries) == ("failed", 2)
        queue.done(first)
        assert queue.waiting() == 1

    def test_a_message_that_was_given_back_keeps_its_delay(self, world: WorkWorld) -> None:
        queue = world.stores.queue
        queue.send("failed")
        queue.give_back(taken(queue), 1)
        assert world.wait_for(lambda: queue.receive(HOUR), 1).tries == 2

    def test_a_buried_message_is_moved_to_the_poison_queue(self, world: WorkWorld) -> None:
        queue = world.stores.queue
        queue.send("blåbær")
        queue.bury(taken(queue))
        assert queue.receive(HOUR) is None
        assert queue.waiting() == 0
        poison = world.other.queue.poison()
        delivery = taken(poison)
        assert (delivery.body, delivery.tries) == ("blåbær", 1)
        poison.done(delivery)
        assert poison.waiting() == 0

    def test_the_poison_queue_gives_back_to_itself(self, queue: WorkQueue) -> None:
        queue.poison().send("bad")
        queue.poison().give_back(taken(queue.poison()), 0)
        assert queue.receive(HOUR) is None
        assert taken(queue.poison()).tries == 2

    def test_many_workers_never_take_the_same_message(self, world: WorkWorld) -> None:
        for number in range(THREADS * 2):
            world.stores.queue.send(str(number))

        def work(number: int) -> list[str]:
            queue = (world.stores, world.other)[number % 2].queue
            return [delivery.body for delivery in iter(lambda: queue.receive(HOUR), None)]

        bodies = [body for found in at_once(work) for body in found]
        assert sorted(bodies, key=int) == [str(number) for number in range(THREADS * 2)]

    def test_the_longest_message_is_48_kib(self, queue: WorkQueue) -> None:
        longest = "æ" * (24 * 1024)
        queue.send(longest)
        assert taken(queue).body == longest
        with pytest.raises(FatalError, match="49154 bytes"):
            queue.send(longest + "ø")

    @pytest.mark.parametrize("delay", [-1, 7 * 86400 + 1])
    def test_delays_that_no_queue_keeps_are_refused(self, queue: WorkQueue, delay: float) -> None:
        queue.send("one")
        with pytest.raises(FatalError, match="hidden for"):
            queue.send("two", delay)
        with pytest.raises(FatalError, match="hidden for"):
            queue.receive(delay)
        delivery = taken(queue)
        with pytest.raises(FatalError, match="hidden for"):
            queue.extend(delivery, delay)
        with pytest.raises(FatalError, match="hidden for"):
            queue.give_back(delivery, delay)


class TestLeases:
    def test_a_name_has_one_holder(self, world: WorkWorld) -> None:
        hold = held(world.stores.leases)
        assert hold.name == NAME
        assert world.other.leases.acquire(NAME, 60) is None
        assert world.stores.leases.acquire(NAME, 60) is None
        assert world.other.leases.acquire("work/other", 60) is not None

    def test_of_many_who_want_a_name_one_gets_it(self, world: WorkWorld) -> None:
        def work(number: int) -> Hold | None:
            return (world.stores, world.other)[number % 2].leases.acquire(NAME, 60)

        winners = [hold for hold in at_once(work) if hold is not None]
        assert len(winners) == 1
        world.stores.leases.renew(winners[0], 60)

    def test_a_released_name_is_free(self, world: WorkWorld) -> None:
        first = held(world.stores.leases)
        world.stores.leases.release(first)
        second = held(world.other.leases)
        assert second.token != first.token

    def test_a_released_lease_can_not_be_renewed(self, leases: Leases) -> None:
        hold = held(leases)
        leases.release(hold)
        with pytest.raises(LeaseLostError):
            leases.renew(hold, 60)
        leases.release(hold)

    def test_a_lost_lease_is_taken_over_and_its_old_holder_is_powerless(self, world: WorkWorld) -> None:
        old = held(world.stores.leases)
        world.cut_short(old)
        new = held(world.other.leases)
        with pytest.raises(LeaseLostError):
            world.stores.leases.renew(old, 60)
        world.stores.leases.release(old)
        assert world.stores.leases.acquire(NAME, 60) is None
        world.other.leases.renew(new, 60)

    def test_a_lease_that_nobody_ever_gave_is_lost(self, leases: Leases) -> None:
        hold = Hold("work/unknown", "00000000-0000-0000-0000-000000000000")
        with pytest.raises(LeaseLostError):
            leases.renew(hold, 60)
        leases.release(hold)

    @pytest.mark.slow
    def test_leases_run_out_by_themselves(self, world: WorkWorld) -> None:
        """One wait of 15 s for all that an end of time means."""
        leases, records = world.stores.leases, world.stores.records
        dead, renewed, slow, written = (
            held(leases, f"work/{name}", SHORTEST_LEASE) for name in ("dead", "renewed", "slow", "written")
        )
        leases.renew(renewed, 60)
        taker = world.wait_for(lambda: world.other.leases.acquire(dead.name, 60), SHORTEST_LEASE)
        # Taken over: refused.
        with pytest.raises(LeaseLostError):
            records.write(dead.name, b"stale", ANY_VERSION, dead)
        with pytest.raises(LeaseLostError):
            leases.renew(dead, 60)
        world.other.records.write(dead.name, b"fresh", None, taker)
        # Renewed for longer than it was taken for: still held.
        assert world.other.leases.acquire(renewed.name, 60) is None
        # Out, but nobody came: no writes, until it is renewed.
        with pytest.raises(LeaseLostError):
            records.write(slow.name, b"late", None, slow)
        leases.renew(slow, 60)
        records.write(slow.name, b"again", None, slow)
        # Out, and the record was written by somebody else: lost for good.
        world.other.records.write(written.name, b"theirs", None)
        with pytest.raises(LeaseLostError):
            leases.renew(written, 60)

    @pytest.mark.parametrize("seconds", [0, 14.9, 60.1, 3600])
    def test_lease_times_that_a_blob_can_not_have_are_refused(self, leases: Leases, seconds: float) -> None:
        with pytest.raises(FatalError, match="15 to 60 seconds"):
            leases.acquire(NAME, seconds)
        hold = held(leases)
        with pytest.raises(FatalError, match="15 to 60 seconds"):
            leases.renew(hold, seconds)


class TestRecords:
    def test_what_was_never_written_is_none(self, records: Records) -> None:
        assert records.read(NAME) is None
        assert records.names("") == []

    def test_a_record_is_read_as_it_was_written(self, world: WorkWorld) -> None:
        content = "blåbærgrød\r\n".encode() + bytes(range(256))
        version = world.stores.records.write(NAME, content, None)
        found = world.other.records.read(NAME)
        assert found is not None
        assert (found.content, found.version) == (content, version)

    def test_an_empty_record_is_a_record(self, records: Records) -> None:
        version = records.write(NAME, b"", None)
        found = records.read(NAME)
        assert found is not None
        assert (found.content, found.version) == (b"", version)
        assert records.names("") == [NAME]
        with pytest.raises(ConflictError):
            records.write(NAME, b"x", None)

    def test_plans_of_20_mb_fit(self, records: Records) -> None:
        content = random.Random(1).randbytes(20_000_000)
        version = records.write(NAME, content, None)
        again = records.write(NAME, content[::-1], version)
        found = records.read(NAME)
        assert found is not None
        assert found.version == again
        assert found.content == content[::-1]

    def test_what_exists_is_not_created_again(self, world: WorkWorld) -> None:
        world.stores.records.write(NAME, b"first", None)
        with pytest.raises(ConflictError):
            world.other.records.write(NAME, b"second", None)
        found = world.other.records.read(NAME)
        assert found is not None
        assert found.content == b"first"

    def test_a_stale_version_is_refused(self, world: WorkWorld) -> None:
        first = world.stores.records.write(NAME, b"1", None)
        second = world.other.records.write(NAME, b"2", first)
        with pytest.raises(ConflictError):
            world.stores.records.write(NAME, b"stale", first)
        found = world.stores.records.read(NAME)
        assert found is not None
        assert (found.content, found.version) == (b"2", second)

    def test_the_same_content_is_a_new_version(self, records: Records) -> None:
        first = records.write(NAME, b"same", None)
        assert records.write(NAME, b"same", first) != first

    @pytest.mark.parametrize("version", ["", "1", '"0x1"'])
    def test_a_version_of_nothing_is_refused(self, records: Records, version: str) -> None:
        with pytest.raises(ConflictError):
            records.write(NAME, b"x", version)
        assert records.read(NAME) is None
        records.write(NAME, b"there", None)
        with pytest.raises(ConflictError):
            records.write(NAME, b"x", "" if version == "" else f"{version}{version}")

    def test_any_version_writes_whatever_stands_there(self, records: Records) -> None:
        records.write(NAME, b"1", ANY_VERSION)
        version = records.write(NAME, b"2", ANY_VERSION)
        found = records.read(NAME)
        assert found is not None
        assert (found.content, found.version) == (b"2", version)

    def test_a_removed_record_is_gone_and_removing_it_again_does_nothing(self, records: Records) -> None:
        records.write(NAME, b"1", None)
        records.remove(NAME)
        records.remove(NAME)
        records.remove("never/there")
        assert records.read(NAME) is None
        assert records.names("") == []

    def test_the_version_of_a_removed_record_never_comes_back(self, records: Records) -> None:
        old = records.write(NAME, b"same", None)
        records.remove(NAME)
        with pytest.raises(ConflictError):
            records.write(NAME, b"2", old)
        assert records.write(NAME, b"same", None) != old
        with pytest.raises(ConflictError):
            records.write(NAME, b"2", old)

    def test_names_come_in_order_by_their_beginning(self, records: Records) -> None:
        names = ["jobs/a/1", "jobs/a/10", "jobs/a/2", "jobs/a-b/1", "jobs/A~:_.x/1", "jobs/b/1", "jobs", "keys/x"]
        for name in names:
            records.write(name, b"x", None)
        assert records.names("") == sorted(names)
        assert records.names("jobs/a/") == ["jobs/a/1", "jobs/a/10", "jobs/a/2"]
        assert records.names("jobs/a/1") == ["jobs/a/1", "jobs/a/10"]
        assert records.names("jobs/a") == ["jobs/a-b/1", "jobs/a/1", "jobs/a/10", "jobs/a/2"]
        assert records.names("jobs/A~:_.x/") == ["jobs/A~:_.x/1"]
        assert records.names("nothing/") == []

    def test_no_write_of_many_is_lost(self, world: WorkWorld) -> None:
        world.stores.records.write("count", b"0", None)

        def work(number: int) -> int:
            records, refused = (world.stores, world.other)[number % 2].records, 0
            while True:
                found = records.read("count")
                assert found is not None
                try:
                    records.write("count", str(int(found.content) + 1).encode(), found.version)
                except ConflictError:
                    refused += 1
                else:
                    return refused

        at_once(work)
        found = world.stores.records.read("count")
        assert found is not None
        assert found.content == str(THREADS).encode()

    def test_of_many_who_create_a_record_one_does(self, world: WorkWorld) -> None:
        def work(number: int) -> bool:
            try:
                (world.stores, world.other)[number % 2].records.write(NAME, str(number).encode(), None)
            except ConflictError:
                return False
            return True

        assert at_once(work).count(True) == 1

    @pytest.mark.parametrize(
        "name",
        ["", "/a", "a/", "a//b", "a b", "blå", "a\\b", "a?b", "a%2Fb", "..", "a/../b", "a.", "a./b", "a\n", "x" * 201],
    )
    def test_names_that_no_store_keeps_are_refused(self, world: WorkWorld, name: str) -> None:
        records, leases = world.stores.records, world.stores.leases
        for use in (
            lambda: records.read(name),
            lambda: records.write(name, b"x", None),
            lambda: records.remove(name),
            lambda: leases.acquire(name, 60),
        ):
            with pytest.raises(FatalError, match="can't be the name of a record"):
                use()

    def test_the_longest_name_is_200_signs(self, records: Records) -> None:
        name = "/".join(["x" * 49] * 4) + "~"
        records.write(name, b"x", None)
        assert records.names("") == [name]


class TestLeasedRecords:
    def test_a_lease_on_a_new_name_makes_no_record(self, world: WorkWorld) -> None:
        held(world.stores.leases)
        assert world.other.records.read(NAME) is None
        assert world.other.records.names("") == []
        world.other.records.remove(NAME)
        assert world.other.leases.acquire(NAME, 60) is None

    def test_a_holder_writes_the_first_and_the_next_record(self, world: WorkWorld) -> None:
        leases, records = world.stores.leases, world.stores.records
        hold = held(leases)
        first = records.write(NAME, b"1", None, hold)
        leases.renew(hold, 60)
        second = records.write(NAME, b"2", first, hold)
        leases.release(hold)
        found = world.other.records.read(NAME)
        assert found is not None
        assert (found.content, found.version) == (b"2", second)
        assert world.other.records.names("") == [NAME]

    def test_a_holder_creates_only_what_is_not_there(self, world: WorkWorld) -> None:
        world.stores.records.write(NAME, b"1", None)
        hold = held(world.stores.leases)
        with pytest.raises(ConflictError):
            world.stores.records.write(NAME, b"2", None, hold)

    def test_leasing_and_renewing_keep_a_records_version(self, world: WorkWorld) -> None:
        version = world.stores.records.write(NAME, b"1", None)
        hold = held(world.stores.leases)
        world.stores.leases.renew(hold, 60)
        found = world.stores.records.read(NAME)
        assert found is not None
        assert found.version == version
        world.stores.records.write(NAME, b"2", version, hold)

    def test_a_holder_with_a_stale_version_is_told_so(self, world: WorkWorld) -> None:
        old = world.stores.records.write(NAME, b"1", None)
        world.stores.records.write(NAME, b"2", old)
        hold = held(world.stores.leases)
        with pytest.raises(ConflictError):
            world.stores.records.write(NAME, b"3", old, hold)
        world.stores.leases.renew(hold, 60)

    @pytest.mark.parametrize("version", [None, ANY_VERSION])
    def test_nobody_writes_a_leased_name_without_its_hold(self, world: WorkWorld, version: str | None) -> None:
        held(world.stores.leases)
        with pytest.raises(ConflictError):
            world.other.records.write(NAME, b"x", version)
        assert world.other.records.read(NAME) is None

    def test_nobody_writes_a_leased_record_without_its_hold(self, world: WorkWorld) -> None:
        version = world.stores.records.write(NAME, b"1", None)
        hold = held(world.stores.leases)
        for wanted in (version, ANY_VERSION):
            with pytest.raises(ConflictError):
                world.other.records.write(NAME, b"x", wanted)
        world.stores.leases.release(hold)
        world.other.records.write(NAME, b"2", version)

    def test_after_a_release_the_first_record_can_be_written_by_anybody(self, world: WorkWorld) -> None:
        world.stores.leases.release(held(world.stores.leases))
        with pytest.raises(ConflictError):
            world.other.records.write(NAME, b"x", '"0x1"')
        world.other.records.write(NAME, b"1", None)
        with pytest.raises(ConflictError):
            world.other.records.write(NAME, b"2", None)

    def test_a_released_hold_writes_nothing(self, world: WorkWorld) -> None:
        hold = held(world.stores.leases)
        version = world.stores.records.write(NAME, b"1", None, hold)
        world.stores.leases.release(hold)
        for wanted in (version, None, ANY_VERSION, '"0x1"'):
            with pytest.raises(LeaseLostError):
                world.stores.records.write(NAME, b"2", wanted, hold)

    def test_a_stale_holder_writes_nothing_whatever_its_version(self, world: WorkWorld) -> None:
        old = held(world.stores.leases)
        version = world.stores.records.write(NAME, b"1", None, old)
        world.cut_short(old)
        with pytest.raises(LeaseLostError):
            world.stores.records.write(NAME, b"late", version, old)
        new = held(world.other.leases)
        newer = world.other.records.write(NAME, b"2", version, new)
        for wanted in (version, newer, None, ANY_VERSION):
            with pytest.raises(LeaseLostError):
                world.stores.records.write(NAME, b"stale", wanted, old)
        found = world.other.records.read(NAME)
        assert found is not None
        assert found.content == b"2"

    def test_a_hold_is_good_for_its_own_name_only(self, world: WorkWorld) -> None:
        hold = held(world.stores.leases)
        held(world.stores.leases, "work/other")
        for name in ("work/other", "work/free"):
            with pytest.raises(LeaseLostError):
                world.stores.records.write(name, b"x", None, hold)
            with pytest.raises(LeaseLostError):
                world.stores.records.write(name, b"x", None, Hold(name, hold.token))

    def test_a_leased_record_is_not_removed(self, world: WorkWorld) -> None:
        hold = held(world.stores.leases)
        world.stores.records.write(NAME, b"1", None, hold)
        with pytest.raises(ConflictError):
            world.other.records.remove(NAME)
        world.stores.leases.release(hold)
        world.other.records.remove(NAME)
        assert world.stores.records.read(NAME) is None
        held(world.stores.leases)

    def test_many_who_fight_for_a_lease_write_one_after_the_other(self, world: WorkWorld) -> None:
        """Each writer reads, adds one and writes within its lease, with any version: only the lease guards it."""
        world.stores.records.write(NAME, b"0", None)

        def work(number: int) -> None:
            stores = (world.stores, world.other)[number % 2]
            hold = None
            while hold is None:
                hold = stores.leases.acquire(NAME, 60)
            found = stores.records.read(NAME)
            assert found is not None
            stores.records.write(NAME, str(int(found.content) + 1).encode(), ANY_VERSION, hold)
            stores.leases.release(hold)

        at_once(work)
        found = world.stores.records.read(NAME)
        assert found is not None
        assert found.content == str(THREADS).encode()
