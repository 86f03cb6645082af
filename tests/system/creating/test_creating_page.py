"""Customers created from the CRM, in the console."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.support.creations import COMPANY, RULES, company, customers, environment, killed_over_sending
from tests.support.world import World
from tests.unit.web.conftest import Console, make_console


class TestPage:
    """The same in the console."""

    @pytest.fixture
    def console(self, world: World) -> Console:
        return make_console(world)

    def test_rules_are_chosen_from_e_conomics_own_lists_and_used_at_once(self, world, console):
        browser = console.browser()
        page = browser.get("/manage/create/default").text
        assert "Allow creating customers" in page
        assert all(one["name"] in page for one in world.economic_call("GET", "/customer-groups")["collection"])
        form = {"allow": "on", "group": "1", "payment_terms": "1", "vat_zone": "1", "currency": "DKK", "version": ""}
        assert browser.post("/manage/create/default/save", data=form).status_code == 200
        item = world.post("Companies", COMPANY)
        assert browser.post("/manage/create/default", data={"item": str(item)}).status_code == 200
        console.work()
        page = browser.get("/manage/create/default").text
        assert f"as customer {company(world, item)['CustomerID']}" in page

    def test_what_failed_is_listed_with_its_reason_and_escaped(self, world, console, monkeypatch):
        for name in environment():
            monkeypatch.delenv(name, raising=False)
        world.post("Companies", {**COMPANY, "Title": "<b>x</b>", "EAN": "123"})
        console.host.engine.tick()
        page = console.browser().get("/manage/create/default").text
        assert "&lt;b&gt;x&lt;/b&gt;" in page
        assert "<b>x</b>" not in page

    @pytest.mark.parametrize(
        ("form", "told"),
        [
            ({"number_first": "10"}, "a range needs both"),
            ({"number_first": "20", "number_last": "10"}, "must not be above"),
            ({"number_first": "x", "number_last": "10"}, "must be a whole number"),
            ({"currency": "KRONER"}, "must be a code of three letters"),
        ],
    )
    def test_wrong_rules_are_told_in_the_pages_words_and_not_saved(self, world, console, form, told):
        answer = console.browser().post("/manage/create/default/save", data={"version": "", **form})
        assert answer.status_code == 422
        assert told in answer.text
        assert "CREATE_" not in answer.text
        assert console.host.live.own("default")[0].create == {}

    def test_what_was_typed_is_still_there_when_it_was_refused(self, world, console):
        form = {"version": "", "currency": "KRONER", "number_first": "700", "number_last": "800", "contact": "on"}
        page = console.browser().post("/manage/create/default/save", data={**form, "send": "EAN"}).text
        for part in ('value="KRONER" selected', 'value="700"', 'value="800"', 'name="contact" checked'):
            assert part in page
        assert 'value="EAN" checked' in page
        assert 'name="allow" checked' not in page, "what the server's settings say is not what was typed"

    def test_a_rule_that_is_blanked_on_the_page_is_blank(self, world, console, monkeypatch):
        """Although the server's own settings have it."""
        browser = console.browser()
        console.host.live.installation.connections["default"].create = RULES.model_copy(update={"send": "EAN"})
        assert console.host.live.of("default").create.group == "1"
        form = {"version": "", "allow": "on", "payment_terms": "1", "vat_zone": "1", "currency": "DKK"}
        assert browser.post("/manage/create/default/save", data=form).status_code == 200
        rules = console.host.live.of("default").create
        assert (rules.group, rules.send, rules.payment_terms) == (None, "", "1")
        item = world.post("Companies", COMPANY)
        browser.post("/manage/create/default", data={"item": str(item)})
        console.work()
        assert "Customer group is blank" in company(world, item)["CreateStatus"]

    def test_problems_are_danish_on_a_danish_page(self, world, console):
        browser = console.browser()
        browser.get("/manage/create/default?lang=da")
        answer = browser.post("/manage/create/default/save", data={"version": "", "number_first": "10"})
        assert "er tomt; et interval kræver begge" in answer.text
        assert "Sidste kundenummer" in answer.text

    @pytest.mark.parametrize("item", ["", "x", "0x1"])
    def test_an_item_that_is_none_is_told(self, console, item):
        answer = console.browser().post("/manage/create/default", data={"item": item})
        assert answer.status_code == 422

    def test_once_a_day_the_tick_finds_what_was_cleared(self, world, console):
        console.host.engine.tick()
        item = world.post("Companies", COMPANY)
        killed_over_sending(world)
        world.merge("Companies", item, {"CreateInEconomic": None})
        console.host.engine.tick()
        assert not company(world, item)["CustomerID"]
        world.clock.moment += timedelta(days=1)
        console.host.engine.tick()
        assert company(world, item)["CustomerID"] == str(customers(world)[0]["customerNumber"])

    def test_the_tick_creates_what_was_asked_for(self, world, console):
        item = world.post("Companies", COMPANY)
        console.host.engine.tick()
        assert company(world, item)["CreateInEconomic"] == "Created"
