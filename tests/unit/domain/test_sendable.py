"""What the CRM owns: when both sides mean the same, and what e-conomic would refuse."""

from __future__ import annotations

import pytest

from worker.domain.sendable import SENDABLES, alike, refusal, tidy
from worker.domain.sending_texts import CODES, why_not
from worker.setting_groups import SENDABLE


def test_what_settings_take_is_what_can_be_sent():
    assert set(SENDABLE) == set(SENDABLES)


@pytest.mark.parametrize(
    ("column", "economic", "crm", "same"),
    [
        ("Phone", "33123456", "+45 33 12 34 56", True),
        ("Mobile", "+4520123456", "+45 20 12 34 56", True),
        ("Phone", "33123456", "+45 33 12 34 57", False),
        ("EMail", "a@x.dk; b@x.dk", "a@x.dk", True),
        ("EMail", "Post@X.dk", "post@x.dk", True),
        ("EMail", "a@x.dk", "a@x.dk, b@x.dk", False),
        ("EMail", "", "a@x.dk", False),
        ("Country", "Danmark", "Denmark", True),
        ("Address", "Havnegade 1\n2. sal", "Havnegade 1, 2. sal", True),
        ("Website", "x.dk", "y.dk", False),
    ],
)
def test_a_profiles_own_form_means_the_same(column, economic, crm, same):
    assert alike(column, tidy(column, economic), tidy(column, crm)) is same


@pytest.mark.parametrize(
    ("column", "economic", "crm", "why"),
    [
        ("EAN", "", "579000000000", "no-ean"),
        ("EAN", "", "57900000000000", "no-ean"),
        ("EAN", "", "5 790000 000005", ""),
        ("EAN", "5790000000005", "", ""),
        ("EMail", "", "nobody", "no-email"),
        ("EMail", "", "a@x", "no-email"),
        ("EMail", "", "a@x.dk b", "no-email"),
        ("EMail", "", "a@x.dk, b@x.dk", ""),
        ("EMail", "a@x.dk b@x.dk", "c@x.dk", "several"),
        ("EMail", "a@x.dk", "", ""),
        ("Zip", "", "1" * 31, "too-long"),
    ],
)
def test_what_e_conomic_would_refuse_is_known_before(column, economic, crm, why):
    assert refusal(column, tidy(column, economic), tidy(column, crm)) == why


@pytest.mark.parametrize("code", sorted(CODES))
def test_every_reason_has_a_next_step_in_both_languages(code):
    english, danish = why_not(code, "X."), why_not(code, "X.", "da")
    assert english != danish
    assert english.count(".") >= 2 or "next time" in english
    assert english.endswith(".")
    assert danish.endswith(".")
