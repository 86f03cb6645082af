"""The page with the rules for new customers and what the CRM owns, with everything on it that it may show."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.axe import serious_findings
from tests.browser.looks import LOOKS, shot, sideways
from tests.browser.stage import Live
from tests.support.world import World
from worker.domain.sending_texts import CODES
from worker.ports import ANY_VERSION
from worker.settings import CreateSettings, Settings
from worker.wiring.sending import last_sending
from worker.wiring.wanted import WantedBook

RULES = CreateSettings(
    allow=True, group="1", payment_terms="1", vat_zone="1", currency="DKK", send="EMail, Phone, Address"
)
_LONG = "a.very.long.address.that.somebody.typed@a-company-with-a-long-name.example"

_MADE = {"Title": "Havnens Kontor ApS", "CINumber": "87654321"}


@pytest.fixture(scope="module")
def connections(world: World) -> Mapping[str, Settings]:
    return {"default": world.settings(RULES)}


def _kept(**changes: Any) -> bytes:
    """A last time with one value of each kind for a person."""
    clashes = [
        {
            "number": 1000 + at,
            "column": "EMail",
            "economic": _LONG,
            "crm": "new@crm.example",
            "why": code,
            "items": [at + 1, at + 2] if code == "twice" else [at + 1],
            "detail": "ean: must have 13 digits." if code == "refused" else "",
        }
        for at, code in enumerate(sorted(CODES))
    ]
    sendings = [{"number": 2000, "item_id": 1, "values": {"EMail": [_LONG, ""], "Address": ["A 1\nB", "A 2"]}}]
    last = {"at": "2026-11-25T02:10:00+00:00", "sent": 1, "conflicts": len(clashes), "problem": "", "hint": ""}
    return json.dumps({**last, "sendings": sendings, "clashes": clashes, "mark": "", **changes}).encode()


@pytest.fixture(scope="module")
def history() -> Callable[[Live], None]:
    def happened(live: Live) -> None:
        company = {"Title": "Nordlys ApS", "CustomerID": "888888", "CreateInEconomic": "Requested"}
        book = WantedBook(live.host.stores.records, "default")
        for item in (live.world.post("Companies", company), live.world.post("Companies", _MADE), 999_999):
            book.ask(item, live.host.clock.now())
        live.host.engine.tick()
        book.ask(999_998, live.host.clock.now())
        live.host.stores.records.write("sending/default", _kept(), ANY_VERSION)
        assert last_sending(live.host.stores.records, "default") is not None

    return happened


@pytest.mark.parametrize("look", LOOKS, ids=str)
def test_the_page_is_fit_to_be_seen(new_page, watch, look):
    page = new_page(look)
    page.goto("/manage/create/default")
    shot(page, "new-customers", look)
    assert [*sideways(page), *serious_findings(page)] == []


def test_a_refused_rule_keeps_what_was_typed_and_a_blank_one_blanks(page, live, watch):
    watch.allow_status(422)
    page.goto("/manage/create/default")
    page.get_by_label("First customer number").fill("700")
    page.get_by_label("Customer group").select_option("")
    page.get_by_role("checkbox", name="Phone").uncheck()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("alert")).to_contain_text("a range needs both")
    expect(page.get_by_label("First customer number")).to_have_value("700")
    expect(page.get_by_role("checkbox", name="Phone")).not_to_be_checked()
    page.get_by_label("Last customer number").fill("800")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Saved.")).to_be_visible()
    rules = live.host.live.of("default").create
    assert (rules.group, rules.number_first, rules.number_last, rules.send) == (None, 700, 800, "EMail, Address")


def test_a_great_many_are_looked_at_and_sent_with_one_button(page, live):
    problem = {"problem": "30 of 40 customers would be changed in e-conomic at once; nothing was sent."}
    hint = {"hint": "Look at them on the page New customers, and send them there."}
    live.host.stores.records.write("sending/default", _kept(sent=0, mark="abc", **problem, **hint), ANY_VERSION)
    page.goto("/manage/create/default")
    shot(page, "new-customers-many", "en-1440-light")
    expect(page.get_by_text("What would be sent")).to_be_visible()
    page.get_by_role("button", name="Yes, send all of these").click()
    expect(page.get_by_text("It is sent in a few seconds.")).to_be_visible()
    approved = live.host.stores.records.read("sending-approved/default")
    assert approved is not None
    assert approved.content == b"abc"
