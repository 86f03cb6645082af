"""The SharePoint adapter over real HTTP: faults, unconfirmed behaviour, limits, and what it costs."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterator

import pytest
from target_worlds import COMPANY, CONTACT, INVOICE, TOKEN, EmulatorSiteWorld

from worker.domain.values import Value
from worker.errors import (
    AccessDeniedError,
    AuthenticationError,
    ConfigError,
    FatalError,
    NotFoundError,
    PageError,
    ThrottledError,
    UnavailableError,
    WorkerError,
)
from worker.ports import Create, Target, Update, WriteOutcome, WriteStatus
from worker.sharepoint.own_list import OwnList
from worker.transport import RetryPolicy

QUICK = RetryPolicy(attempts=2, page_attempts=2)


def creates(count: int, start: int = 0) -> list[Create]:
    numbers = [str(number) for number in range(start, start + count)]
    return [Create(number, {"Title": f"Faktura {number}", "InvoiceNumber": number}) for number in numbers]


def statuses(outcomes: Iterator[WriteOutcome]) -> list[WriteStatus]:
    return [outcome.status for outcome in outcomes]


def count(target: Target) -> int:
    return sum(1 for _ in target.items(["Title"]))


def one_item(crm: EmulatorSiteWorld, **values: Value) -> tuple[Target, int, str]:
    target = crm.target(COMPANY)
    (made,) = target.write([Create("1", {"Title": "A", **values})])
    (item,) = target.items(["Title"])
    assert made.item_id == item.item_id
    return target, item.item_id, item.version


# --- what it costs


def test_five_thousand_rows_cost_a_request_per_hundred_and_a_page_per_five_thousand(crm):
    """Reads: one count and the pages. Nothing else, at any size."""
    target = crm.target(INVOICE)
    crm.reset()
    rows = 5010
    assert set(statuses(target.write(creates(rows)))) == {WriteStatus.DONE}
    assert crm.metered["writes"] == math.ceil(rows / 100)
    crm.reset()
    ids = [item.item_id for item in target.items(["InvoiceNumber", "Title"])]
    assert ids == sorted(set(ids))
    assert len(ids) == rows
    assert crm.metered["requests"] == math.ceil(rows / 5000) + 1
    crm.reset()
    found = target.find("InvoiceNumber", [str(number) for number in range(0, 5000, 50)], ["InvoiceNumber"])
    assert len(found) == 100
    assert crm.metered["requests"] == 5


def test_binding_again_asks_nothing_again(crm):
    """Lists and columns are read once per run: sign-in, lists, zone, and the columns of each list."""
    site = crm.make_site()
    crm.reset()
    for _ in range(3):
        site.bind({"A": (COMPANY, ["Title"]), "B": (INVOICE, ["Title"])})
    assert crm.metered["requests"] == 5


def test_a_list_that_may_not_be_read_is_not_taken_for_a_missing_one(crm):
    """Whether the right was lost before the site's lists were read or afterwards."""
    crm.remove_list(CONTACT)
    crm.app.state.roles["late-token"] = "write"
    site = crm.make_site(crm.client(token="late-token"))
    assert not site.has_list(CONTACT)
    crm.app.state.roles["late-token"] = "none"
    for one in (site, crm.make_site(crm.client(token="late-token"))):
        with pytest.raises(AccessDeniedError):
            one.has_list(CONTACT)


def test_a_long_key_makes_a_look_up_shorter_not_wrong(crm):
    """The address stays within what SharePoint takes."""
    target = crm.target(COMPANY)
    keys = [f"økonomi:{'æ' * 40}:{number}" for number in range(25)]
    assert set(statuses(target.write(Create(k, {"Title": "A", "ImportID": k}) for k in keys))) == {WriteStatus.DONE}
    assert len(target.find("ImportID", keys, list(target.columns))) == 25


def test_our_count_of_requests_is_the_services(crm):
    """Every request of the library passes our transport."""
    site = crm.make_site()
    crm.reset()
    target = site.bind({"A": (COMPANY, ["Title", "City"])})[COMPANY]
    list(target.write([Create("1", {"Title": "A"})]))
    list(target.items(["Title"]))
    usage = site.usage()
    assert (usage.requests, usage.write_requests) == (crm.metered["requests"], crm.metered["writes"])
    assert usage.units == crm.metered["cost"]


# --- faults: refused, lost, spoiled


@pytest.mark.parametrize("fault", ["429", "503", "503-no-retry-after", "part-429", "part-503"])
@pytest.mark.parametrize("form", ["seconds", "date", "none"])
@pytest.mark.parametrize("body", ["json", "html"])
def test_a_refused_write_is_sent_again_after_the_wait(crm, fault, form, body):
    """Whole batches and parts of them, however the wait is told; nothing is doubled."""
    crm.switch(retry_after=form, throttle_body=body)
    target = crm.target(INVOICE)
    crm.fault(fault)
    assert set(statuses(target.write(creates(120)))) == {WriteStatus.DONE}
    assert count(target) == 120
    assert crm.slept


@pytest.mark.parametrize("fault", ["429", "503", "cut", "html", "expired-token"])
def test_a_read_survives_a_passing_fault(crm, fault):
    """It is simply asked again."""
    target = crm.target(INVOICE)
    list(target.write(creates(3)))
    crm.fault(fault)
    assert count(target) == 3


@pytest.mark.parametrize("fault", ["500-after-commit", "cut", "html", "truncated-batch"])
def test_a_write_whose_answer_is_lost_is_never_sent_again_by_itself(crm, fault):
    """It is unknown; what stands in the list tells. One batch went out, and each row exists once."""
    target = crm.target(COMPANY)  # no unique column: a second send would double the rows
    list(target.write([Create("0", {"Title": "0"})]))
    crm.reset()
    crm.fault(fault)
    outcomes = statuses(target.write(Create(str(n), {"Title": str(n), "CustomerID": str(n)}) for n in range(1, 41)))
    assert WriteStatus.UNKNOWN in outcomes
    assert set(outcomes) <= {WriteStatus.UNKNOWN, WriteStatus.DONE}
    assert crm.metered["writes"] == 1
    assert count(target) == 41


def test_a_short_batch_answer_proves_nothing(crm):
    """It does not say which parts it leaves out."""
    crm.fault("truncated-batch")
    assert set(statuses(crm.target(INVOICE).write(creates(10)))) == {WriteStatus.UNKNOWN}


def test_an_expired_token_costs_one_more_request(crm):
    """Also for a write, which was refused before anything was done."""
    target = crm.target(INVOICE)
    count(target)
    crm.reset()
    crm.fault("expired-token")
    assert statuses(target.write(creates(1))) == [WriteStatus.DONE]
    assert crm.metered["by_status"] == {"200": 1, "401": 1}


def test_a_page_that_does_not_go_away_is_told_after_a_few_tries(crm):
    """A wrong address or a proxy, most likely."""
    client = crm.client()
    crm.fault("html", 1000)
    with pytest.raises(PageError, match="a page instead of data"):
        client.get_json("web")
    assert len(crm.slept) < 8


def test_a_service_that_stays_throttled_ends_with_that_error(crm):
    """After every try the policy allows; nothing was written."""
    site = crm.make_site(crm.client(policy=QUICK))
    target = site.bind({"A": (INVOICE, ["Title", "InvoiceNumber"])})[INVOICE]
    crm.fault("429", 1000)
    with pytest.raises(ThrottledError):
        list(target.write(creates(5)))
    crm.app.state.faults.clear()
    assert count(target) == 0


def test_parts_that_stay_refused_are_unknown_beside_those_that_were_done(crm):
    """Settled rows keep their outcome; the others are looked up by the caller."""
    site = crm.make_site(crm.client(policy=QUICK))
    target = site.bind({"A": (INVOICE, ["Title", "InvoiceNumber"])})[INVOICE]
    crm.app.state.faults.set("part-429", 0.5)
    outcomes = statuses(target.write(creates(60)))
    crm.app.state.faults.clear()
    assert set(outcomes) == {WriteStatus.DONE, WriteStatus.UNKNOWN}
    assert count(target) == outcomes.count(WriteStatus.DONE)


def test_a_server_that_is_down_is_told_in_one_sentence(crm):
    """After the retries, with no address or key in the words."""
    client = crm.client(url="http://127.0.0.1:9/sites/crm", policy=QUICK)
    with pytest.raises(UnavailableError, match=r"SharePoint could not be reached \(ConnectionError\)"):
        client.get_json("web", {"$filter": "secret-key"})


def test_the_budget_of_the_tenant_is_kept(crm):
    """Nothing is throttled when the worker paces itself; without pacing the same rows are."""
    crm.app.state.budget.limit = 0
    clock = {"now": 0.0}

    def sleep(seconds: float) -> None:
        clock["now"] += seconds

    site = crm.make_site(crm.client(units=1250, sleep=sleep))
    target = site.bind({"A": (INVOICE, ["Title", "InvoiceNumber"])})[INVOICE]
    list(target.write(creates(1000)))
    used = site.usage().units
    assert clock["now"] >= (used - 1250) / (1250 * 0.7 / 60)
    assert crm.metered["by_status"].keys() <= {"200", "204"}


def test_warnings_of_the_service_slow_the_worker_down(crm):
    """The RateLimit headers, from 80 % of the budget on."""
    crm.app.state.budget.limit = 400
    crm.app.state.budget.reset()
    target = crm.target(INVOICE)
    crm.slept.clear()
    list(target.write(creates(160)))
    count(target)
    crm.app.state.budget.limit = 0
    # 70 units were left for about 60 seconds: each of the two reads pays for its 2 units with its share of the time.
    assert 2 < sum(crm.slept) < 6
    assert "429" not in crm.metered["by_status"]


# --- what is unconfirmed about the service


@pytest.mark.parametrize(
    ("switch", "position"),
    [
        ("short_etag", "refused"),
        ("body_etag", "long"),
        ("missing_if_match", "strict"),
        ("unique_blanks", "one"),
        ("unique_case", "sensitive"),
        ("choice_outside", "refused"),
        ("empty_text", "kept"),
        ("naive_time", "utc"),
        ("unknown_option", "ignored"),
    ],
)
def test_updates_work_in_either_position(crm, switch, position):
    """Create, read, update, conflict: all as ever."""
    crm.switch(**{switch: position})
    target, item_id, version = one_item(crm, City="Ry")
    (first,) = target.write([Update("1", item_id, version, {"City": "Aarhus"})])
    assert first.status is WriteStatus.DONE
    (stale,) = target.write([Update("1", item_id, version, {"City": "Odense"})])
    assert stale.status is WriteStatus.CHANGED_MEANWHILE
    (second,) = target.write([Update("1", item_id, first.version, {"City": ""})])
    assert second.status is WriteStatus.DONE
    assert [item.values["City"] for item in target.items(["City"])] == [None]


def test_an_etag_that_is_spelled_with_another_guid_is_no_conflict(crm):
    """Which GUID stands in the header is not documented; the service's own spelling is taken once it shows it."""
    target, item_id, version = one_item(crm)
    number = version.strip('"').rpartition(",")[2]
    (outcome,) = target.write([Update("1", item_id, f'"another-guid,{number}"', {"City": "Ry"})])
    assert outcome.status is WriteStatus.DONE
    (stale,) = target.write([Update("1", item_id, f'"another-guid,{number}"', {"City": "Odense"})])
    assert stale.status is WriteStatus.CHANGED_MEANWHILE


@pytest.mark.parametrize("status", ["400", "500"])
def test_a_duplicate_and_a_too_long_text_are_told_by_their_code(crm, status):
    """Whatever status they come with."""
    crm.switch(duplicate_key_status=status, text_too_long_status=status)
    target = crm.target(INVOICE)
    list(target.write(creates(1)))
    rows = [*creates(1), Create("long", {"Title": "x" * 300, "InvoiceNumber": "long"}), *creates(1, 5)]
    outcomes = {outcome.write.key: outcome for outcome in target.write(rows)}
    assert outcomes["0"].status is WriteStatus.DUPLICATE
    assert outcomes["long"].status is WriteStatus.REJECTED
    assert "Invalid text value" in outcomes["long"].detail
    assert outcomes["5"].status is WriteStatus.DONE


def test_a_choice_the_column_does_not_have_is_rejected_with_the_services_words(crm):
    """When the service refuses it."""
    crm.switch(choice_outside="refused")
    (outcome,) = crm.target(COMPANY).write([Create("1", {"Title": "A", "SalesTrend": "Sideways"})])
    assert outcome.status is WriteStatus.REJECTED
    assert "Invalid choice value" in outcome.detail


# --- refusals


def test_a_wrong_token_is_an_authentication_error_without_the_token(crm):
    """After the few tries with a new one."""
    client = crm.client(token="planted-wrong-token")
    with pytest.raises(AuthenticationError) as caught:
        client.get_json("web")
    assert "planted" not in f"{caught.value} {caught.value.hint}"


def test_an_app_without_a_grant_is_told_what_to_ask_for(crm):
    """Consent alone opens no site."""
    crm.app.state.roles["no-grant"] = "none"
    with pytest.raises(AccessDeniedError) as caught:
        crm.client(token="no-grant").get_json("web")
    assert "Sites.Selected" in caught.value.hint


def test_an_app_that_may_only_read_is_stopped_at_its_first_batch(crm):
    """Not told row by row that each was refused."""
    crm.app.state.roles["reader"] = "read"
    site = crm.make_site(crm.client(token="reader"))
    target = site.bind({"A": (INVOICE, ["Title", "InvoiceNumber"])})[INVOICE]
    with pytest.raises(AccessDeniedError):
        list(target.write(creates(300)))


def test_a_wrong_site_address_is_not_found(crm):
    """Named by its setting."""
    with pytest.raises(NotFoundError) as caught:
        crm.client(url=f"{crm.server.url}/sites/nowhere").get_json("web")
    assert "SHAREPOINT_SITE_URL" in caught.value.hint


def test_a_missing_list_and_a_missing_column_are_told_with_the_next_step(crm):
    """The worker's own lists as well."""
    (info,) = [one for one in crm.site.lists.all() if one.title == "Sync runs"]
    crm.ask(f"{info.path}/fields/getbyinternalnameortitle('PlanHash')", {}, X_HTTP_Method="DELETE", IF_MATCH="*")
    runs = OwnList(crm.make_site(), "sync-runs")
    with pytest.raises(ConfigError, match="Sync runs, column PlanHash: is missing") as caught:
        runs.newest(["RunID", "PlanHash"], 5)
    assert "provision" in caught.value.hint
    crm.ask(f"{info.path}/recycle()", {})
    with pytest.raises(ConfigError, match="Sync runs: is not on the site"):
        OwnList(crm.make_site(), "sync-runs").every(["RunID"])


def test_an_unindexed_look_up_in_a_long_list_says_what_is_wrong():
    """The list view threshold, and that an index helps."""
    with EmulatorSiteWorld(list_view_threshold=20) as world:
        world.provision()
        target = world.target(COMPANY)
        list(target.write(Create(str(n), {"Title": str(n), "City": f"By {n}"}) for n in range(25)))
        assert len(target.find("Title", ["7"], ["Title"])) == 1
        with pytest.raises(FatalError, match="over the view threshold") as caught:
            target.find("City", ["By 7"], ["Title"])
        assert "Index" in caught.value.hint


def test_no_token_or_text_of_a_row_reaches_log_or_error(crm, caplog):
    """Planted in the token and in a row, through every fault, at the most talkative level."""
    caplog.set_level(logging.DEBUG, logger="worker")
    site = crm.make_site(crm.client(policy=QUICK))
    target = site.bind({"A": (INVOICE, ["Title", "InvoiceNumber"])})[INVOICE]
    said: list[str] = []
    for fault in ("429", "503", "500-after-commit", "cut", "html", "truncated-batch", "expired-token"):
        crm.fault(fault, 3)
        try:
            list(target.write([Create("k", {"Title": "Planted Person", "InvoiceNumber": fault})]))
            target.find("InvoiceNumber", ["planted-key"], ["Title"])
        except WorkerError as error:
            said.append(f"{error} {error.hint} {error!r}")
        crm.app.state.faults.clear()
    words = "\n".join([*said, *caplog.messages, repr(site.client)])
    assert "retry" in words
    assert TOKEN not in words
    assert "Planted Person" not in words
    assert "planted-key" not in words
