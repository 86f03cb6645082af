"""Sending what the CRM owns, on fakes: what is sent, what is left for a person, and what is remembered."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from copy import deepcopy
from itertools import count
from typing import Any

import pytest

from tests.contract.target_worlds import COMPANY, DEFINITIONS
from tests.fakes.fake_desk import FakeDesk
from tests.fakes.fake_target import FakeTarget
from worker.errors import AccessDeniedError, UnavailableError
from worker.sharepoint.definitions import LIST_OF
from worker.sync.sending import Agreed, Sender, Sent

_BODY = {"currency": "DKK", "name": "X"}


class Both:
    """Two sides, and what is remembered between two looks."""

    def __init__(self, *columns: str) -> None:
        self.columns = columns
        self.desk = FakeDesk()
        self.target = FakeTarget(COMPANY, {c.name: c.as_column() for c in DEFINITIONS[LIST_OF[COMPANY]].columns})
        self.agreed: Agreed = {}
        self._keys = count(1)

    def customer(self, number: int, economic: Mapping[str, Any], **crm: str) -> int:
        self.desk.documents[number] = {**_BODY, "customerNumber": number, **economic}
        return self.target.add(CustomerID=str(number), **crm)

    @property
    def sender(self) -> Sender:
        return Sender(self.target, self.desk, self.columns, deepcopy(self.agreed))

    def look(self) -> Sent:
        plan = self.sender.plan()
        self.agreed = plan.agreed
        return plan

    def send(self, stop: threading.Event | None = None) -> Sent:
        sender = self.sender
        return sender.apply(sender.plan(), lambda: f"key-{next(self._keys)}", stop or threading.Event(), self.remember)

    def remember(self, agreed: Agreed) -> None:
        self.agreed = deepcopy(agreed)


def why(sent: Sent) -> list[tuple[int, str, str]]:
    return [(one.number, one.column, one.why) for one in sent.conflicts]


def test_a_phone_in_the_profiles_form_agrees_and_a_new_one_is_sent():
    both = Both("Phone")
    item = both.customer(1, {"telephoneAndFaxNumber": "33123456"}, Phone="+45 33 12 34 56")
    assert why(both.look()) == []
    assert both.send().sendings == []
    both.target.edit(item, Phone="+45 33 12 34 57")
    assert [one.number for one in both.send().sendings] == [1]
    assert both.desk.documents[1]["telephoneAndFaxNumber"] == "+45 33 12 34 57"
    assert both.send().sendings == []
    assert why(both.look()) == []


def test_what_e_conomic_only_spells_anew_is_no_conflict():
    both = Both("Phone")
    both.customer(1, {"telephoneAndFaxNumber": "33123456"}, Phone="+45 33 12 34 56")
    both.look()
    both.desk.documents[1]["telephoneAndFaxNumber"] = "33 12 34 56"
    assert why(both.look()) == []
    both.desk.documents[1]["telephoneAndFaxNumber"] = "33 12 34 99"
    assert why(both.look()) == [(1, "Phone", "economic")]


@pytest.mark.parametrize(
    ("column", "typed", "code"),
    [("EAN", "579000000000", "no-ean"), ("EMail", "nobody", "no-email"), ("Zip", "1" * 31, "too-long")],
)
def test_what_e_conomic_would_refuse_is_told_and_not_sent(column, typed, code):
    both = Both(column)
    item = both.customer(1, {})
    both.look()
    both.target.edit(item, **{column: typed})
    sent = both.send()
    assert (sent.sendings, why(sent)) == ([], [(1, column, code)])


def test_an_ean_is_sent_without_the_blanks_people_type():
    both = Both("EAN")
    item = both.customer(1, {})
    both.look()
    both.target.edit(item, EAN="5790 0000 00005")
    both.send()
    assert both.desk.documents[1]["ean"] == "5790000000005"


def test_other_addresses_of_e_conomic_are_not_lost():
    both = Both("EMail")
    item = both.customer(1, {"email": "a@x.dk b@x.dk"}, EMail="a@x.dk")
    assert why(both.look()) == []
    both.target.edit(item, EMail="c@x.dk")
    assert why(both.send()) == [(1, "EMail", "several")]
    assert both.desk.documents[1]["email"] == "a@x.dk b@x.dk"


def test_two_companies_with_one_number_are_told_once_and_nothing_of_them_is_sent():
    both = Both("EMail")
    first = both.customer(1, {"email": "a@x.dk"}, EMail="a@x.dk")
    both.look()
    second = both.target.add(CustomerID="1", EMail="b@x.dk")
    both.target.edit(first, EMail="c@x.dk")
    sent = both.send()
    assert sent.sendings == []
    (clash,) = sent.conflicts
    assert (clash.why, clash.items) == ("twice", (first, second))
    both.target.edit(second, CustomerID=None)
    assert [one.number for one in both.send().sendings] == [1], "what had agreed is still known"


def test_a_sending_that_breaks_forgets_none_that_was_sent():
    """The first is sent, the second breaks off; then the CRM changes the first again."""
    both = Both("EMail")
    items = [both.customer(number, {"email": "a@x.dk"}, EMail="a@x.dk") for number in (1, 2)]
    both.look()
    for item in items:
        both.target.edit(item, EMail="b@x.dk")
    real = both.desk.replace

    def breaking(number: int, document: Mapping[str, object], key: str) -> None:
        if number == 2:
            raise UnavailableError("No answer.")
        real(number, document, key)

    both.desk.replace = breaking  # type: ignore[method-assign]
    with pytest.raises(UnavailableError):
        both.send()
    both.desk.replace = real  # type: ignore[method-assign]
    both.target.edit(items[0], EMail="c@x.dk")
    sent = both.send()
    assert ([one.number for one in sent.sendings], why(sent)) == ([1, 2], [])
    assert both.desk.documents[1]["email"] == "c@x.dk"


def test_a_sending_that_is_stopped_says_so():
    both = Both("EMail")
    item = both.customer(1, {"email": "a@x.dk"}, EMail="a@x.dk")
    both.look()
    both.target.edit(item, EMail="b@x.dk")
    stop = threading.Event()
    stop.set()
    sent = both.send(stop)
    assert (sent.stopped, sent.sendings) == (True, [])


def test_an_app_that_may_not_write_is_asked_once():
    both = Both("EMail")
    items = [both.customer(number, {"email": "a@x.dk"}, EMail="a@x.dk") for number in (1, 2, 3)]
    both.look()
    for item in items:
        both.target.edit(item, EMail="b@x.dk")
    asked = []

    def denied(number: int, *_: object) -> None:
        asked.append(number)
        raise AccessDeniedError("e-conomic does not let the app write.")

    both.desk.replace = denied  # type: ignore[method-assign]
    assert why(both.send()) == [(number, "EMail", "refused") for number in (1, 2, 3)]
    assert asked == [1]
