"""One SQLite file: private, shared by threads and processes, and every fault of it said in a sentence."""

from __future__ import annotations

import multiprocessing
import os
import sqlite3
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from worker.errors import FatalError, UnavailableError, WorkerError
from worker.ports import ANY_VERSION
from worker.stores.sqlite import open_stores
from worker.stores.sqlite_file import SqliteFile


def test_the_file_is_its_owners_alone_and_its_directory_is_made(tmp_path):
    path = tmp_path / "deep" / "work.sqlite"
    open_stores(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_it_writes_ahead_and_waits_for_the_disk(tmp_path):
    stores = open_stores(tmp_path / "work.sqlite")
    with stores.records._file.reading() as db:
        assert db.execute("PRAGMA journal_mode").fetchone()[0] == "wal"
        assert db.execute("PRAGMA synchronous").fetchone()[0] == 2


def test_what_was_written_is_there_after_opening_again(tmp_path):
    path = tmp_path / "work.sqlite"
    open_stores(path).records.write("a/b", b"1", None)
    found = open_stores(path).records.read("a/b")
    assert found is not None
    assert found.content == b"1"


def test_a_full_disk_is_said_and_what_stood_there_still_stands(tmp_path):
    stores = open_stores(tmp_path / "work.sqlite")
    version = stores.records.write("a", b"old", None)
    with stores.records._file.reading() as db:
        db.execute("PRAGMA max_page_count = 20")
    with pytest.raises(UnavailableError, match="disk is full"):
        stores.records.write("a", os.urandom(1_000_000), version)
    found = stores.records.read("a")
    assert found is not None
    assert (found.content, found.version) == (b"old", version)


def test_a_file_that_is_no_database_is_named_with_the_next_step(tmp_path):
    path = tmp_path / "work.sqlite"
    path.write_bytes(b"this is no database at all" * 100)
    with pytest.raises(FatalError, match="is no SQLite database") as caught:
        open_stores(path)
    assert "move the file" in caught.value.hint


def test_another_programs_database_is_left_alone(tmp_path):
    path = tmp_path / "work.sqlite"
    with sqlite3.connect(path) as db:
        db.execute("CREATE TABLE precious (x)")
    db.close()
    before = path.read_bytes()
    with pytest.raises(FatalError, match="another program"):
        open_stores(path)
    assert path.read_bytes() == before


def test_a_newer_versions_file_is_refused(tmp_path):
    path = tmp_path / "work.sqlite"
    open_stores(path)
    db = sqlite3.connect(path)
    db.execute("PRAGMA user_version = 999")
    db.commit()
    db.close()
    with pytest.raises(FatalError, match="newer version"):
        open_stores(path)


def test_a_directory_that_can_not_be_made_is_said(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(WorkerError) as caught:
        open_stores(tmp_path / "file" / "work.sqlite")
    assert caught.value.hint


def test_a_lock_that_stays_is_said(tmp_path):
    path = tmp_path / "work.sqlite"
    file = SqliteFile(path, busy_seconds=0.05)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(UnavailableError, match="stayed locked"), file.writing():
        pass
    other.execute("ROLLBACK")
    other.close()


def test_threads_add_without_losing_any(tmp_path):
    """Read, add one, write by version; who is too late reads again."""
    stores = open_stores(tmp_path / "work.sqlite")
    stores.records.write("n", b"0", None)

    def add(_: int) -> None:
        while True:
            found = stores.records.read("n")
            assert found is not None
            try:
                stores.records.write("n", str(int(found.content) + 1).encode(), found.version)
            except WorkerError:
                continue
            return

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(add, range(80)))
    found = stores.records.read("n")
    assert found is not None
    assert found.content == b"80"


def take_all(path: Path, answers: multiprocessing.Queue[str]) -> None:
    """In a process of its own: takes what it can get of the messages and of the lease."""
    stores = open_stores(path)
    if stores.leases.acquire("work/a", 60) is not None:
        answers.put("lease")
    while (delivery := stores.queue.receive(600)) is not None:
        answers.put(delivery.body)
        stores.queue.done(delivery)
    answers.put("end")


@pytest.mark.slow
def test_two_processes_never_get_the_same_message_or_lease(tmp_path):
    path = tmp_path / "work.sqlite"
    stores = open_stores(path)
    for number in range(60):
        stores.queue.send(f"m{number}")
    context = multiprocessing.get_context("spawn")
    answers = context.Queue()
    processes = [context.Process(target=take_all, args=(path, answers)) for _ in range(3)]
    for process in processes:
        process.start()
    got: list[str] = []
    while got.count("end") < 3:
        got.append(answers.get(timeout=60))
    for process in processes:
        process.join(30)
    answers.close()
    answers.join_thread()
    assert got.count("lease") == 1
    assert sorted(one for one in got if one.startswith("m")) == sorted(f"m{number}" for number in range(60))


def test_a_large_record_comes_back_whole(tmp_path):
    stores = open_stores(tmp_path / "work.sqlite")
    content = os.urandom(20_000_000)
    stores.records.write("plan", content, ANY_VERSION)
    found = stores.records.read("plan")
    assert found is not None
    assert found.content == content
