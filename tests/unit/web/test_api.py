"""What the API does: starts, watches, refuses with a next step."""

from __future__ import annotations

import pytest

from tests.unit.web.conftest import Console


def start(console: Console, **body: object):
    return console.program.post("/manage/api/runs", json=body)


def test_a_run_is_started_watched_and_told(console):
    answer = start(console)
    assert answer.status_code == 202
    address = answer.headers["location"]
    assert console.program.get(address).json()["state"] == "Queued"
    console.work()
    job = console.program.get(address).json()
    assert (job["state"], job["worst"]) == ("Done", "Succeeded")
    assert job["runs"][0]["ledger"]["created"] > 0
    assert [one["id"] for one in console.program.get("/manage/api/runs").json()["runs"]] == [job["id"]]


def test_a_second_start_names_the_run_in_the_way(console):
    first = start(console).headers["location"]
    answer = start(console)
    assert answer.status_code == 409
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["running"] == first


def test_the_same_key_gives_the_same_job(console):
    headers = {"Idempotency-Key": "night-1"}
    first = console.program.post("/manage/api/runs", json={}, headers=headers)
    again = console.program.post("/manage/api/runs", json={}, headers=headers)
    assert (first.status_code, again.status_code) == (202, 200)
    assert first.json()["id"] == again.json()["id"]


def test_an_unknown_profile_is_refused_with_the_known_ones(console):
    answer = start(console, profiles=["Kunder"])
    assert answer.status_code == 422
    assert "Customers" in answer.json()["problems"][0]["allowed"]


def test_an_unknown_connection_is_not_found(console):
    assert start(console, connection="other").status_code == 404


def test_a_plan_is_shown_page_by_page_and_then_applied_exactly(console):
    planned = start(console, mode="plan", profiles=["Customers"]).json()
    address = f"{planned['links']['plan']}?profile=Customers"
    assert console.program.get(address).status_code == 404
    console.work()
    plan = console.program.get(f"{address}&limit=3&offset=1").json()
    assert len(plan["changes"]) == 3
    assert plan["total"] == plan["counts"]["Create"]
    assert {field["column"] for field in plan["changes"][0]["fields"]} >= {"CustomerID", "Title"}
    assert console.world.truth()["Contacts"] == []
    applied = start(console, profiles=["Customers"], expected={"Customers": plan["digest"]}).json()
    console.work()
    job = console.program.get(applied["links"]["status"]).json()
    assert job["runs"][0]["ledger"]["created"] == plan["total"]


def test_a_cancelled_run_says_so(console):
    job = start(console).json()
    assert console.program.post(f"{job['links']['status']}/cancel").json()["cancel"] is True
    console.work()
    after = console.program.get(job["links"]["status"]).json()
    assert (after["state"], after["message"]) == ("Cancelled", "Cancelled by a program.")
    assert console.world.truth()["Contacts"] == []


def test_a_run_that_was_not_braked_can_not_be_approved(console):
    job = start(console).json()
    console.work()
    answer = console.program.post(f"{job['links']['status']}/approve")
    assert answer.status_code == 422
    assert "not stopped by the brake" in answer.json()["detail"]


def test_rows_that_failed_come_with_their_reason(console):
    names = [{**c, "name": ""} if at == 0 else c for at, c in enumerate(console.world.data.customers)]
    console.world.control("economic", "mutate", {"customers": names[:1]})
    job = start(console, profiles=["Customers"]).json()
    console.work()
    rows = console.program.get(f"{job['links']['rows']}?profile=Customers").json()
    failed = console.program.get(job["links"]["status"]).json()["runs"][0]["ledger"]["failed"]
    assert rows["total"] >= failed
    assert all(row["reason"] for row in rows["rows"])


def test_the_check_tells_each_step(console):
    answer = console.program.post("/manage/api/check", json={}).json()
    assert answer["ok"] is True
    assert [step["step"] for step in answer["steps"]] == ["e-conomic", "SharePoint", "Profiles"]


@pytest.mark.parametrize("side", ["economic", "sharepoint"])
def test_a_service_that_refuses_us_is_no_fault_of_the_callers_sign_in(console, side):
    """The check tells it; other routes answer 502 or 503, never 401."""
    fault = {"economic": "revoked", "sharepoint": "503"}[side]
    console.world.control(side, "faults", {fault: 1.0})
    try:
        answer = console.program.post("/manage/api/check", json={}).json()
        assert answer["ok"] is False
        assert any(step["hint"] for step in answer["steps"] if not step["ok"])
        status = console.program.get("/manage/api/profiles").status_code
        assert status == (200 if side == "economic" else 503)
    finally:
        console.world.control(side, "faults", {})
        console.world.control(side, "grant", {}) if side == "economic" else None


class TestProfiles:
    """List, read, save, validate."""

    def read(self, console: Console, title: str = "Customers"):
        return console.program.get(f"/manage/api/profiles/default/{title}")

    def test_all_are_listed_in_their_order(self, console):
        listed = console.program.get("/manage/api/profiles").json()["profiles"]
        assert [one["title"] for one in listed][:2] == ["Customers", "Contacts"]
        assert all(one["ok"] for one in listed)

    def test_a_profile_is_saved_and_read_back(self, console):
        before = self.read(console)
        changed = {**before.json()["profile"], "schedule": "15 4 * * *"}
        saved = console.program.put(
            "/manage/api/profiles/default/Customers", json=changed, headers={"If-Match": before.headers["etag"]}
        )
        assert saved.status_code == 200, saved.text
        assert self.read(console).json()["profile"]["schedule"] == "15 4 * * *"
        assert self.read(console).headers["etag"] == saved.headers["etag"] != before.headers["etag"]

    def test_the_second_of_two_people_sees_the_firsts_version(self, console):
        before = self.read(console)
        data, match = before.json()["profile"], {"If-Match": before.headers["etag"]}
        path = "/manage/api/profiles/default/Customers"
        assert console.program.put(path, json={**data, "schedule": "1 4 * * *"}, headers=match).status_code == 200
        second = console.program.put(path, json={**data, "schedule": "2 4 * * *"}, headers=match)
        assert second.status_code == 412
        assert second.json()["current"]["profile"]["schedule"] == "1 4 * * *"
        assert self.read(console).json()["profile"]["schedule"] == "1 4 * * *"

    def test_a_new_title_makes_a_new_profile(self, console):
        data = {**self.read(console).json()["profile"], "title": "More customers", "order": 90, "enabled": False}
        answer = console.program.put("/manage/api/profiles/default/More customers", json=data)
        assert answer.status_code in (200, 422)
        if answer.status_code == 422:
            assert answer.json()["problems"]

    def test_everything_that_is_wrong_is_said_at_once(self, console):
        data = {**self.read(console).json()["profile"], "schedule": "nightly", "importType": "Overwrite"}
        answer = console.program.post("/manage/api/profiles/validate", json=data).json()
        assert answer["ok"] is False
        assert len(answer["problems"]) == 2
        assert console.program.put("/manage/api/profiles/default/Customers", json=data).status_code == 422

    def test_a_title_that_differs_from_the_address_is_refused(self, console):
        data = {**self.read(console).json()["profile"], "title": "Other"}
        assert console.program.put("/manage/api/profiles/default/Customers", json=data).status_code == 422

    def test_an_unknown_one_is_not_found(self, console):
        assert self.read(console, "Nothing").status_code == 404


def test_an_unexpected_fault_has_a_reference_and_no_details(console, caplog):
    console.host.engine.jobs = lambda *_: 1 / 0
    answer = console.program.get("/manage/api/runs")
    assert answer.status_code == 500
    assert answer.json()["reference"] in caplog.text
    assert "ZeroDivision" not in answer.text


@pytest.mark.parametrize(
    ("body", "status"),
    [(b"{", 422), (b"[]", 422), (b'{"mode": "delete"}', 422), (b'{"extra": 1}', 422), (b"x" * (1024 * 1024 + 1), 413)],
)
def test_a_body_that_is_not_as_documented_is_refused(console, body, status):
    answer = console.program.post("/manage/api/runs", content=body, headers={"content-type": "application/json"})
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"


def test_the_page_about_the_api_loads_nothing_from_elsewhere(console):
    page = console.program.get("/manage/api/docs").text
    assert "/manage/api/runs" in page
    assert "http://" not in page
    assert "https://" not in page
    assert "<script" not in page
