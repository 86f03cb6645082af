"""Sending requests: what is repeated, what is waited for, what each status means, where secrets may go."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from email.utils import format_datetime
from threading import Thread
from typing import Any

import pytest
import requests
import responses

from worker.errors import (
    AccessDeniedError,
    AuthenticationError,
    ConfigError,
    FatalError,
    NotFoundError,
    PageError,
    ProtocolError,
    RetriableError,
    ThrottledError,
    UnavailableError,
    WorkerError,
)
from worker.transport import (
    STATUS_TABLE,
    FileKind,
    Http,
    RetryPolicy,
    StatusRule,
    Waits,
    origin,
    parse_retry_after,
    retrying,
    status_error,
)

BASE = "https://books.example"
URL = f"{BASE}/things"
NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
SECRET = "planted-grant-token-1234"
PAPER = FileKind("paper", "application/paper", b"%PAPER", 1000)


class Service:
    """An Http towards a service whose answers are laid out beforehand; waiting is noted, not done."""

    def __init__(self, mock: responses.RequestsMock, policy: RetryPolicy) -> None:
        self.mock = mock
        self.slept: list[float] = []
        self.http = Http(
            "Books", frozenset({BASE}), {"X-Token": SECRET}, policy=policy, waits=Waits(sleep=self.slept.append)
        )

    def answers(self, *answers: Any) -> None:
        """Each is an exception, a status, or keyword arguments; the last one repeats."""
        for answer in answers:
            if isinstance(answer, Exception):
                self.mock.get(URL, body=answer)
            elif isinstance(answer, int):
                self.mock.get(URL, status=answer, json={})
            else:
                self.mock.get(URL, **answer)

    def get(self) -> Any:
        return self.http.get_json(URL)

    def fetch(self) -> bytes:
        return self.http.get_bytes(URL, PAPER)


@pytest.fixture
def service() -> Any:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        made = Service(mock, RetryPolicy(attempts=4, page_attempts=2))
        yield made
        made.http.close()


GOOD = {"json": {"fine": True}}


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("7", 7.0),
        ("0", 0.0),
        ("-3", 0.0),
        ("1.5", 1.5),
        (format_datetime(NOW + timedelta(seconds=90), usegmt=True), 90.0),
        (format_datetime(NOW - timedelta(seconds=90), usegmt=True), 0.0),
        ("Mon, 02 Mar 2026 12:00:30", None),
        ("soon", None),
        ("", None),
        ("nan", None),
        ("inf", None),
        (None, None),
    ],
)
def test_retry_after_is_read_in_both_forms(text: str | None, seconds: float | None) -> None:
    """Retry-After holds seconds or an HTTP date; anything else counts as absent, the past as now."""
    assert parse_retry_after(text, NOW) == seconds


def test_a_told_wait_is_kept_and_counted(service: Service) -> None:
    """A 429 with Retry-After is waited for as long as it says, and the wait stands in the counters."""
    service.answers({"status": 429, "headers": {"Retry-After": "7"}, "json": {}}, GOOD)
    assert service.get() == {"fine": True}
    assert 7 <= service.slept[0] <= 8
    assert service.http.waits.seconds == sum(service.slept)
    assert service.http.requests == 2


def test_throttling_without_a_time_waits_longer_each_time(service: Service) -> None:
    """Three refusals without Retry-After take the better part of a 60 second window together."""
    service.answers(429, 429, 429, GOOD)
    service.get()
    assert service.slept == sorted(service.slept)
    assert sum(service.slept) >= 60


@pytest.mark.parametrize("status", [408, 500, 502, 503, 504, 599])
def test_a_service_that_is_briefly_away_is_asked_again(service: Service, status: int) -> None:
    """Server faults and time-outs are repeated."""
    service.answers(status, GOOD)
    assert service.get() == {"fine": True}


@pytest.mark.parametrize(
    "failure",
    [requests.ConnectionError(), requests.ReadTimeout(), requests.exceptions.ChunkedEncodingError()],
    ids=lambda failure: type(failure).__name__,
)
def test_a_lost_read_is_repeated(service: Service, failure: Exception) -> None:
    """No connection, no answer in time, and a body that breaks off are all repeated."""
    service.answers(failure, GOOD)
    assert service.get() == {"fine": True}


def test_json_that_is_cut_short_is_repeated(service: Service) -> None:
    """Half a JSON text is a broken connection by another name."""
    service.answers({"body": '{"collection": [1, 2', "content_type": "application/json"}, GOOD)
    assert service.get() == {"fine": True}


def test_attempts_are_limited(service: Service) -> None:
    """A service that stays away is asked as often as the policy says, then the error is told."""
    service.answers(503)
    with pytest.raises(ThrottledError, match="Books is busy"):
        service.get()
    assert service.http.requests == 4
    assert len(service.slept) == 3


def test_a_wait_beyond_the_time_limit_is_not_begun(service: Service) -> None:
    """Being told to wait for a day ends the call at once, and the error carries the time."""
    service.answers({"status": 429, "headers": {"Retry-After": "86400"}, "json": {}})
    with pytest.raises(ThrottledError) as caught:
        service.get()
    assert caught.value.retry_after == 86400
    assert service.slept == []


def test_a_page_instead_of_data_is_tried_a_few_times_only(service: Service) -> None:
    """HTML with status 200 may pass, but is more often a wrong address: fewer attempts, and the hint says so."""
    service.answers({"body": "<html>Sign in</html>", "content_type": "text/html"})
    with pytest.raises(PageError, match="a page instead of data") as caught:
        service.get()
    assert service.http.requests == 2
    assert "address" in caught.value.hint


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, ProtocolError),
        (401, AuthenticationError),
        (403, AccessDeniedError),
        (404, NotFoundError),
        (418, FatalError),
    ],
)
def test_a_refusal_is_final(service: Service, status: int, error: type[WorkerError]) -> None:
    """What repeating can't mend is told at once, as the error its status stands for."""
    service.answers(status)
    with pytest.raises(error):
        service.get()
    assert service.http.requests == 1


@pytest.mark.parametrize("status", sorted(STATUS_TABLE))
def test_every_status_of_the_table_makes_a_whole_sentence(status: int) -> None:
    """Each row gives its error, with the service's name, the status and the request id."""
    error = status_error("Books", status, {"X-RequestId": "abc-1"})
    assert type(error) is STATUS_TABLE[status].error
    assert str(error) == f"Books {STATUS_TABLE[status].sentence} (status {status}, request abc-1)."


def test_a_caller_may_say_what_a_status_means(service: Service) -> None:
    """Rules handed in win over the table."""
    service.answers(404)
    rules = {404: StatusRule(ConfigErrorLike, "has no such year", "Pick another.")}
    with pytest.raises(ConfigErrorLike, match="Books has no such year") as caught:
        service.http.get_json(URL, rules=rules)
    assert caught.value.hint == "Pick another."


class ConfigErrorLike(FatalError):
    """Any error class of a caller's own."""


def test_the_services_own_words_are_passed_on(service: Service) -> None:
    """The message of a JSON error body is shown, shortened."""
    service.answers({"status": 400, "json": {"message": "Could not parse. " + "x" * 500}})
    with pytest.raises(ProtocolError, match="It says: Could not parse") as caught:
        service.get()
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize("body", ["", "<html>no</html>", "[1]", '{"message": 7}'])
def test_an_error_body_without_words_is_no_trouble(service: Service, body: str) -> None:
    """Empty, HTML and odd bodies of an error add nothing and break nothing."""
    service.answers({"status": 403, "body": body})
    with pytest.raises(AccessDeniedError) as caught:
        service.get()
    assert str(caught.value) == "Books denied access (status 403)."


def test_a_bad_certificate_is_final(service: Service) -> None:
    """A secure connection that can't be made is not tried again."""
    service.answers(requests.exceptions.SSLError("certificate verify failed"))
    with pytest.raises(FatalError, match="secure connection"):
        service.get()
    assert service.http.requests == 1


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308, 304])
def test_redirects_are_refused(service: Service, status: int) -> None:
    """The tokens are not carried to wherever a redirect points."""
    service.mock.get("https://elsewhere.example/", json={})
    service.answers({"status": status, "headers": {"Location": "https://elsewhere.example/"}})
    with pytest.raises(ProtocolError, match="redirects"):
        service.get()
    assert [call.request.url for call in service.mock.calls] == [URL]


@pytest.mark.parametrize(
    "url",
    [
        "https://elsewhere.example/things",
        "http://books.example/things",
        "https://books.example:8443/things",
        "https://books.example.elsewhere.example/things",
        "https://books.example@elsewhere.example/things",
        "https://[broken/things",
    ],
)
def test_links_to_other_hosts_are_refused(service: Service, url: str) -> None:
    """Scheme, host and port must be those of the service; otherwise nothing is sent."""
    with pytest.raises(ProtocolError, match="not followed"):
        service.http.get_json(url)
    assert len(service.mock.calls) == 0


def test_a_port_that_goes_without_saying_is_the_same_host(service: Service) -> None:
    """https://host and https://HOST:443 are one address."""
    assert origin("https://Books.example:443/x") == origin(BASE) == BASE
    service.mock.get("https://books.example:443/things", **GOOD)
    assert service.http.get_json("https://books.example:443/things") == {"fine": True}


def test_tokens_do_not_travel_in_the_open() -> None:
    """Plain http is refused except on this machine."""
    with pytest.raises(ConfigError, match="https://"):
        Http("Books", frozenset({"http://books.example"}), {"X-Token": SECRET})
    Http("Books", frozenset({"http://127.0.0.1:8080"}), {"X-Token": SECRET}).close()


def test_a_token_with_blanks_around_it_is_taken_without_them(service: Service) -> None:
    """Pasted text often ends with a line end."""
    http = Http("Books", frozenset({BASE}), {"X-Token": f" {SECRET}\n"})
    service.answers(GOOD)
    http.get_json(URL)
    http.close()
    assert service.mock.calls[0].request.headers["X-Token"] == SECRET


@pytest.mark.parametrize("value", ["tok\nen-77", "tøken-77", "tok\u200ben-77"])
def test_a_token_that_cannot_be_one_is_said_by_name(value: str) -> None:
    """Characters no header may hold are found before anything is sent; the value itself is not shown."""
    with pytest.raises(ConfigError, match="X-Token for Books: holds characters") as caught:
        Http("Books", frozenset({BASE}), {"X-Token": value})
    assert "77" not in str(caught.value)


def test_a_request_that_cannot_be_made_is_final(service: Service) -> None:
    """A nonsense proxy or address is not waited for."""
    service.answers(requests.exceptions.InvalidProxyURL("proxy"))
    with pytest.raises(FatalError, match="could not be asked"):
        service.get()
    assert service.http.requests == 1


def test_requests_say_who_asks(service: Service) -> None:
    """Each request carries the tokens and the decorated user agent."""
    service.answers(GOOD)
    service.get()
    sent = service.mock.calls[0].request.headers
    assert sent["X-Token"] == SECRET
    assert sent["User-Agent"].startswith("NONISV|iGlobe|EconomicSync/")


def test_numbers_with_decimals_stay_exact(service: Service) -> None:
    """0.1 and 4388512.50 come as decimals, not as the nearest binary fraction."""
    service.answers({"body": '{"a": 0.1, "b": 4388512.50, "c": 7}', "content_type": "application/json; charset=utf-8"})
    assert service.get() == {"a": Decimal("0.1"), "b": Decimal("4388512.50"), "c": 7}


def test_secrets_stay_out_of_errors_logs_and_representations(
    service: Service, caplog: pytest.LogCaptureFixture
) -> None:
    """Not even a service that echoes the token gets it into an error text or the log."""
    caplog.set_level(logging.DEBUG)
    echo = {"json": {"message": f"The token {SECRET} is not known."}}
    cut = {"json": {"message": "x" * 190 + SECRET}}  # the shortened text would end within the token
    service.answers({"status": 503, **echo}, {"status": 503, **cut}, {"status": 401, **echo})
    with pytest.raises(AuthenticationError) as caught:
        service.get()
    shown = [str(caught.value), repr(caught.value), caught.value.hint, repr(service.http), caplog.text]
    assert "*** is not known" in str(caught.value)
    assert "retry call=GET /things" in caplog.text
    assert not any(SECRET[:8] in text for text in shown)


def paper(body: bytes = b"%PAPER-1 text", media_type: str = "application/paper") -> dict[str, Any]:
    return {"body": body, "content_type": media_type}


@pytest.mark.parametrize("media_type", ["application/paper", "Application/Paper; charset=binary"])
def test_a_file_comes_byte_by_byte(service: Service, media_type: str) -> None:
    """Up to the last byte allowed; asked for by its media type, with the tokens and a count like any request."""
    whole = b"%PAPER" + bytes(994)
    seen: list[Any] = []
    service.answers({**paper(whole, media_type), "headers": {"X-Cost": "13"}})
    assert service.http.get_bytes(URL, PAPER, seen.append) == whole
    sent = service.mock.calls[0].request.headers
    assert sent["Accept"].startswith("application/paper")
    assert sent["X-Token"] == SECRET
    assert [headers["X-Cost"] for headers in seen] == ["13"]
    assert service.http.requests == 1


@pytest.mark.parametrize("body", [b"%PAPER" + bytes(995), b"%PAPER" + bytes(200_000)])
def test_a_file_that_is_too_large_is_not_taken(service: Service, body: bytes) -> None:
    """One byte too many ends the reading, for good."""
    service.answers(paper(body))
    with pytest.raises(ProtocolError, match="more than 1,000 bytes"):
        service.fetch()
    assert service.http.requests == 1


@pytest.mark.parametrize("body", [b"", b"%PAP", b" %PAPER", b"<html>no</html>"])
def test_what_only_calls_itself_such_a_file_is_refused(service: Service, body: bytes) -> None:
    """The first bytes must be those of the kind."""
    service.answers(paper(body))
    with pytest.raises(ProtocolError, match="sent as paper is none"):
        service.fetch()


@pytest.mark.parametrize("media_type", ["text/html", "application/json", "application/papers", ""])
def test_another_media_type_is_no_file(service: Service, media_type: str) -> None:
    """A page may pass and is asked for again a few times, whatever its first bytes are."""
    service.answers(paper(media_type=media_type))
    with pytest.raises(PageError, match="a page instead of the paper"):
        service.fetch()
    assert service.http.requests == 2


@pytest.mark.parametrize(
    "trouble", [503, 429, requests.ConnectionError(), requests.exceptions.ChunkedEncodingError()], ids=str
)
def test_a_file_is_asked_for_again_like_data(service: Service, trouble: Any) -> None:
    """A busy service and a lost read are repeated."""
    service.answers(trouble, paper())
    assert service.fetch() == b"%PAPER-1 text"


def test_a_file_that_breaks_off_is_asked_for_again(service: Service) -> None:
    """Fewer bytes than announced are a broken connection."""
    service.mock.get(URL, **paper(), headers={"Content-Length": "500"}, auto_calculate_content_length=False)
    service.answers(paper())
    assert service.fetch() == b"%PAPER-1 text"
    assert service.http.requests == 2


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_file_is_not_fetched_from_where_a_redirect_points(service: Service, status: int) -> None:
    """Neither tokens nor trust travel elsewhere."""
    service.mock.get("https://elsewhere.example/", **paper())
    service.answers({"status": status, "headers": {"Location": "https://elsewhere.example/"}})
    with pytest.raises(ProtocolError, match="redirects"):
        service.fetch()
    assert [call.request.url for call in service.mock.calls] == [URL]


def test_a_file_on_another_host_is_not_asked_for(service: Service) -> None:
    """A link in data can't make us fetch it."""
    with pytest.raises(ProtocolError, match="not followed"):
        service.http.get_bytes("https://elsewhere.example/x", PAPER)
    assert len(service.mock.calls) == 0


def test_a_refused_file_says_why_and_shows_no_secret(service: Service) -> None:
    """The caller's rules and the service's own words, as for data."""
    service.answers({"status": 403, "json": {"message": f"Not with {SECRET}."}})
    rules = {403: StatusRule(AccessDeniedError, "keeps its papers", "Ask nicely.")}
    with pytest.raises(AccessDeniedError, match=r"^Books keeps its papers \(status 403\). It says: Not with") as caught:
        service.http.get_bytes(URL, PAPER, rules=rules)
    assert caught.value.hint == "Ask nicely."
    assert SECRET not in str(caught.value)


def test_what_is_no_passing_fault_is_not_repeated() -> None:
    """Only RetriableError leads to another attempt; a fault in our own code shows at once."""
    calls: list[int] = []

    def broken() -> None:
        calls.append(1)
        raise KeyError("ours")

    with pytest.raises(KeyError):
        retrying(RetryPolicy(), Waits(sleep=lambda _: None), "call", broken)
    assert len(calls) == 1


def test_retries_raise_the_last_error_itself() -> None:
    """The caller sees our own error, not the retry library's."""

    def away() -> None:
        raise UnavailableError("away")

    with pytest.raises(RetriableError, match="away") as caught:
        retrying(RetryPolicy(attempts=2), Waits(sleep=lambda _: None), "call", away)
    assert type(caught.value) is UnavailableError


def test_own_pauses_grow_to_a_ceiling() -> None:
    """Pauses that nobody asked for double, stay below the ceiling, and are never nothing."""
    slept: list[float] = []

    def away() -> None:
        raise UnavailableError("away")

    with pytest.raises(UnavailableError):
        retrying(RetryPolicy(attempts=9, longest_pause=8.0), Waits(sleep=slept.append), "call", away)
    assert all(0.5 * full <= pause <= full for pause, full in zip(slept, [1, 2, 4, 8, 8, 8, 8, 8], strict=True))


def test_waits_add_up_over_threads() -> None:
    """Seconds waited in several threads are all counted; no wait is no sleep."""
    slept: list[float] = []
    waits = Waits(sleep=slept.append)
    threads = [Thread(target=lambda: [waits.wait(0.5) for _ in range(100)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    waits.wait(0)
    waits.wait(-1)
    assert waits.seconds == 200.0
    assert len(slept) == 400
