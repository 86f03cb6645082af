"""What is kept between two looks for requests, and for how long."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from worker.wiring.looking import Looks

STOP = threading.Event()


class FakeApp:
    closed = False

    def close(self) -> None:
        self.closed = True


class FakeConnections:
    """Implements what Looks needs of Connections; remembers what it opened."""

    def __init__(self) -> None:
        self.opened: list[FakeApp] = []

    def app(self, _connection: str, **_: object) -> FakeApp:
        self.opened.append(FakeApp())
        return self.opened[-1]


class Looking:
    def __init__(self) -> None:
        self.now = 0.0
        self.connections = FakeConnections()
        given: Any = self.connections
        self.looks = Looks(given, lambda: self.now)
        self.settings: Any = object()

    def look(self, *, found: bool = False) -> None:
        with self.looks.app("default", self.settings, STOP) as look:
            look.found = found

    @property
    def closed(self) -> list[bool]:
        return [app.closed for app in self.connections.opened]


def test_a_list_is_kept_for_ten_minutes():
    looking = Looking()
    for looking.now in (0.0, 60.0, 540.0, 600.0):
        looking.look()
    assert looking.closed == [True, False]


def test_what_found_something_or_failed_is_not_kept():
    looking = Looking()
    looking.look(found=True)
    with pytest.raises(RuntimeError), looking.looks.app("default", looking.settings, STOP):
        raise RuntimeError
    looking.look()
    assert looking.closed == [True, True, False]


def test_a_change_of_settings_ends_what_is_kept():
    looking = Looking()
    looking.look()
    looking.looks.rest("default", looking.settings)
    looking.settings = object()
    assert not looking.looks.rests("default", looking.settings)
    looking.look()
    assert looking.closed == [True, False]


def test_a_list_nobody_can_ask_in_rests_for_an_hour_or_until_it_is_changed():
    looking = Looking()
    looking.looks.rest("default", looking.settings)
    looking.now = 3599.0
    assert looking.looks.rests("default", looking.settings)
    assert not looking.looks.rests("other", looking.settings)
    looking.now = 3600.0
    assert not looking.looks.rests("default", looking.settings)
    looking.looks.rest("default", looking.settings)
    looking.looks.forget("default")
    assert not looking.looks.rests("default", looking.settings)
