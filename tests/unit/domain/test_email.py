"""What e-conomic takes as e-mail: the same for a customer that is created and for a value that is sent."""

from __future__ import annotations

import pytest

from worker.domain.new_customer import Choices, Defaults, build
from worker.domain.sendable import refusal, tidy

CHOICES = Choices({1: "G"}, {1: "T"}, {1: "Z"}, frozenset({"DKK"}))
DEFAULTS = Defaults("1", "1", "1", "DKK", without_cvr=True)
BAD = {
    "nobody": "no @",
    "@": "nothing around it",
    "a@": "no domain",
    "@x.dk": "nobody at a domain",
    "a@x": "no dot in the domain",
    "a@.dk": "a domain that begins with a dot",
    "a@x.": "a domain that ends with a dot",
    "a@x..dk": "two dots in a row",
    "a@@x.dk": "two signs in a row",
    "a@b@x.dk": "two signs",
    "<a@x.dk>": "brackets",
    '"a@x.dk"': "quotes",
    "mailto:a@x.dk": "a link",
    "Anna <a@x.dk>": "a name beside it",
    "a@x.dk b": "one of two is none",
    "a@x.dk og b@x.dk": "a word in between",
    "a@x.dk/b@x.dk": "another sign in between",
    ";": "only what stands between addresses",
}
GOOD = {
    "a@x.dk": "a@x.dk",
    " post.kontor+crm@mail.x-y.co.uk ": "post.kontor+crm@mail.x-y.co.uk",
    "o'hara@x.ie": "o'hara@x.ie",
    "søren@øl.dk": "søren@øl.dk",
    "a@x.dk b@x.dk": "a@x.dk b@x.dk",
    "a@x.dk; b@x.dk": "a@x.dk b@x.dk",
    "a@x.dk,b@x.dk,": "a@x.dk b@x.dk",
    "a@x.dk\r\nb@x.dk": "a@x.dk b@x.dk",
}


@pytest.mark.parametrize("text", BAD, ids=BAD.values())
def test_what_is_no_address_is_neither_created_nor_sent(text):
    customer, problems = build({"Title": "X", "EMail": text}, DEFAULTS, CHOICES)
    assert customer is None
    assert [one.code for one in problems] == ["no-email"]
    assert refusal("EMail", "", tidy("EMail", text)) == "no-email"


@pytest.mark.parametrize(("text", "sent"), GOOD.items())
def test_addresses_go_to_e_conomic_with_one_blank_between_them(text, sent):
    customer, problems = build({"Title": "X", "EMail": text}, DEFAULTS, CHOICES)
    assert problems == ()
    assert customer is not None
    assert customer.email == sent
    assert tidy("EMail", text) == sent
    assert refusal("EMail", "", sent) == ""


@pytest.mark.parametrize(("length", "code"), [(255, ""), (256, "too-long")])
def test_addresses_are_as_long_as_e_conomic_takes_them(length, code):
    text = "a" * (length - len("@x.dk")) + "@x.dk"
    _, problems = build({"Title": "X", "EMail": text}, DEFAULTS, CHOICES)
    assert [one.code for one in problems] == ([code] if code else [])
    assert refusal("EMail", "", tidy("EMail", text)) == code


def test_a_blank_e_mail_is_no_problem():
    customer, problems = build({"Title": "X", "EMail": "  "}, DEFAULTS, CHOICES)
    assert problems == ()
    assert customer is not None
    assert customer.email == ""
    assert refusal("EMail", "a@x.dk", "") == ""
