"""Messages of errands: what is written is read back, and what is none is none."""

from __future__ import annotations

import pytest

from worker.engine.errands import Errand, ErrandMessage, errand_message, read_errand

MOMENT = "2026-11-29T04:00:00+00:00"


@pytest.mark.parametrize(
    "message",
    [
        ErrandMessage("default", Errand.LIVE),
        ErrandMessage("default", Errand.RECONCILE, MOMENT),
        ErrandMessage("default", Errand.DIGEST, MOMENT, 3),
        ErrandMessage("default", Errand.CREATE, tries=3),
    ],
)
def test_a_message_is_read_as_it_was_written(message):
    body = errand_message(message.connection, message.errand, message.moment, message.tries)
    assert read_errand(body) == message


@pytest.mark.parametrize(
    "body",
    [
        "",
        "[]",
        '"live"',
        '{"connection": "default"}',
        '{"connection": "default", "errand": "other"}',
        '{"connection": "default", "errand": "reconcile", "moment": "soon"}',
        '{"connection": "default", "errand": "reconcile", "tries": "many"}',
    ],
)
def test_what_is_no_errand_is_none(body):
    assert read_errand(body) is None
