"""The nightly job end to end over real HTTP: first load, next day, unchanged."""

from __future__ import annotations

import math
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from tests.support.world import DATA_LISTS, World
from worker.domain.report import RunReport, RunStatus
from worker.sync.runner import SessionResult

ALL_WELL = {RunStatus.SUCCEEDED, RunStatus.WITH_ERRORS}


@pytest.fixture
def world(tmp_path) -> Iterator[World]:
    """A small agreement and a provisioned CRM that holds only prospects."""
    with World(tmp_path, "small") as world:
        world.set_up()
        yield world


def reports(result: SessionResult) -> dict[str, RunReport]:
    """By profile; every run must have gone through with its ledger and sums in order."""
    assert result.error is None
    for report in result.reports:
        assert report.status in ALL_WELL, (report.profile, report.status, report.message)
        assert report.ledger.balances
        assert all(line.agrees for line in report.controls), report.controls
    return {report.profile: report for report in result.reports}


def stats(world: World) -> dict[str, Any]:
    """SharePoint's own counts."""
    return world.control("sharepoint", "stats")["total"]


def data_writes(counts: dict[str, Any]) -> int:
    """Rows written to the CRM's lists, by the server's own count."""
    return sum(counts["by_target"].get(title, {}).get("writes", 0) for title in DATA_LISTS)


def test_first_load_next_day_and_unchanged(world):
    """The whole story of the demo, checked in numbers by both sides' own counts."""
    first = reports(world.run())
    customers = world.data.customers
    made = first["Customers"].ledger
    assert made.created + made.failed == len(customers)
    companies = [row for row in world.rows("Companies") if row.get("CustomerID")]
    assert len(companies) == made.created
    assert len({row["CustomerID"] for row in companies}) == len(companies)

    balances = first["Balances"]
    assert {line.column for line in balances.controls} >= {"Balance", "OverdueAmount"}
    (sales,) = first["Sales history"].controls
    assert sales.own_total == sales.source

    human = companies[0]["Id"]
    world.merge("Companies", human, {"CompanyType": "Partner"})
    story = world.next_day()
    before = {row["Id"]: row for row in world.rows("Companies")}
    second = reports(world.run())
    after = {row["Id"]: row for row in world.rows("Companies")}
    assert 0 < second["Customers"].ledger.updated < 40
    assert second["Customers"].ledger.created == 1
    assert second["Contacts"].ledger.flagged == 1
    assert after[human]["CompanyType"] == "Partner"
    for edit in story["crm_edits"]:
        rows = {str(row.get(edit["key_column"])): row for row in world.rows(edit["list_title"])}
        kept = rows[edit["key"]][edit["column"]] == edit["value"]
        assert kept is (edit["owner"] == "CRM"), edit
    untouched = [n for n, row in before.items() if row["GUID"] == after[n]["GUID"] and row == after[n]]
    assert len(untouched) > len(before) * 0.6

    truth = world.truth()
    world.control("sharepoint", "stats/reset", {})
    third = reports(world.run())
    for report in third.values():
        ledger = report.ledger
        assert ledger.created == ledger.updated == ledger.flagged == 0, report
    counts = stats(world)
    assert data_writes(counts) == 0
    assert counts["writes"] == 1, "the run list's closing batch and nothing else"
    assert world.truth() == truth


def test_control_sums_equal_what_stands_in_the_list(world):
    """The totals a report shows are those of the list, counted independently of the worker."""
    result = reports(world.run())
    companies = [row for row in world.rows("Companies") if row.get("CustomerID")]
    for line in result["Balances"].controls:
        total = sum((Decimal(str(row[line.column] or 0)) for row in companies), Decimal(0))
        assert total == line.target == line.source


def test_requests_are_no_more_than_needed(world):
    """Reads in full pages, writes in full batches, each collection once, at most 12 requests more per profile."""
    world.control("sharepoint", "stats/reset", {})
    world.control("economic", "stats/reset", {})
    first = reports(world.run())
    economic = world.control("economic", "stats")["total"]["requests"]
    pages = sum(math.ceil(n / 1000) for n in (len(world.data.customers), len(world.data.contacts)))
    pages += math.ceil(len(list(world.data.invoices)) / 1000)
    assert economic <= pages + 10
    batches = sum(math.ceil((r.ledger.created + r.ledger.updated + r.ledger.flagged) / 100) for r in first.values())
    assert stats(world)["writes"] <= batches + 2 * len(first) + 2
    assert stats(world)["requests"] <= batches + 12 * len(first)


def test_a_failed_row_is_reported_and_heals_by_itself(world):
    """A name that does not fit stands in the row results, and leaves them when it fits."""
    number = world.data.customers[5]["customerNumber"]
    row = {**world.data.customers[5], "name": "N" * 250 + "😀" * 3}
    world.control("economic", "mutate", {"customers": [row]})
    first = reports(world.run())
    assert first["Customers"].ledger.failed >= 1
    result = one_result(world, "Customers", str(number))
    assert (result["ReasonCode"], result["Outcome"]) == ("too-long", "Failed")
    assert "255" in result["Reason"]
    world.control("sharepoint", "stats/reset", {})
    reports(world.run())
    assert stats(world)["by_target"].get("Sync row results", {}).get("writes", 0) == 0, "an old failure is not news"
    world.control("economic", "mutate", {"customers": [{**row, "name": "Fits ApS"}]})
    reports(world.run())
    assert one_result(world, "Customers", str(number))["Outcome"] == "Healed"


def one_result(world: World, profile: str, key: str) -> dict[str, Any]:
    (row,) = [r for r in world.rows("Sync row results") if r["Profile"] == profile and r["SourceKey"] == key]
    return row


def test_a_person_who_saves_during_the_run_wins_where_they_may(world):
    """The version read guards the write: the item is read again and only what still differs is sent."""
    world.run()
    target = next(row for row in world.rows("Companies") if row.get("CustomerID"))
    customer = next(c for c in world.data.customers if str(c["customerNumber"]) == target["CustomerID"])
    world.control("economic", "mutate", {"customers": [{**customer, "name": "Renamed ApS"}]})
    with world.app() as app:
        profiles = world.profiles(app, ["Customers"])
        with app.session(profiles, app.run_options()) as session:
            plans = session.plan()
            assert [c.key for c in plans[0].plan.changes] == [target["CustomerID"]]
            world.merge("Companies", target["Id"], {"CompanyType": "Partner"})
            result = session.apply_planned(plans)
    assert reports(result)["Customers"].ledger.updated == 1
    row = next(r for r in world.rows("Companies") if r["Id"] == target["Id"])
    assert (row["Title"], row["CompanyType"]) == ("Renamed ApS", "Partner")


def test_a_mass_change_is_braked_and_goes_on_when_approved(world):
    """Nothing is written until a person approves exactly this plan in the run list."""
    world.run()
    renamed = [{**c, "name": f"X {c['name']}"[:200]} for c in world.data.customers]
    world.control("economic", "mutate", {"customers": renamed})
    world.control("sharepoint", "stats/reset", {})
    result = world.run(["Customers"])
    (report,) = result.reports
    assert report.status is RunStatus.BRAKED
    assert "limit 30 %" in report.message
    assert data_writes(stats(world)) == 0
    (run,) = [r for r in world.rows("Sync runs") if r["RunStatus"] == "Stopped by brake"]
    world.merge("Sync runs", run["Id"], {"Approved": True})
    (report,) = world.run(["Customers"]).reports
    assert report.status in ALL_WELL
    assert report.ledger.updated > 150


def test_a_danish_site_gets_danish_titles_and_the_same_data(tmp_path):
    """Lists and columns are found by either title; reasons are Danish."""
    with World(tmp_path) as world:
        settings = world.settings(language="da")
        with world.app(settings) as app:
            app.provision(app.provision_plan())
            assert app.provision_plan().is_empty
            for profile in app.shipped_profiles():
                app.profiles.save(profile)
        number = world.data.customers[0]["customerNumber"]
        world.control("economic", "mutate", {"customers": [{**world.data.customers[0], "name": "N" * 254 + "😀"}]})
        with world.app(settings) as app, app.session(world.profiles(app), app.run_options()) as session:
            result = session.run()
        assert reports(result)["Customers"].ledger.created == 11
        rows = world.rows("Rækker fra synkronisering")
        (row,) = [r for r in rows if (r["Profile"], r["SourceKey"]) == ("Customers", str(number))]
        assert "Teksten til" in row["Reason"]
