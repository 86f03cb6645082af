"""Secrets that people paste into a list are refused and never repeated; ordinary texts pass."""

from __future__ import annotations

import base64
import json
import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.domain.converters import CONVERTERS
from worker.domain.fields import CATALOGUE
from worker.domain.profile_row import parse_profile
from worker.domain.secrets_guard import find_secret
from worker.errors import ConfigError

ROW = {
    "Title": "Customers",
    "Source": "Debtor",
    "Target": "CRM Company",
    "Mapping": '[{"source": "Name", "target": "Title"}]',
}
SECRETS = {
    "Zk3vQ9xW7rT1pL5mN8bC2dF4gH6jK0sA9yU3iO5": "a token",
    "ab12~Q.xY7zW9vU3tS5rQ1pO8nM6lK4jI2hG0fE-": "a token",
    "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b": "a token",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.abc": "a sign-in token",
    "Bearer abcdefghijklmnop": "a sign-in token",
    "-----BEGIN PRIVATE KEY-----": "a certificate or key",
    "-----BEGIN CERTIFICATE-----": "a certificate or key",
    "password: hemmelig1": "a password or token",
    "Adgangskode=hemmelig1": "a password or token",
    "client_secret=abcdef123": "a password or token",
    "X-AgreementGrantToken: abcd": "a password or token",
    '{"password": "hunter2"}': "a password or token",
    "https://user:hemmelig@example.com/": "an address with a password",
    "https://x.blob.example/c?se=1&sig=abcdefghijklmnopqrst": "a signed address",
}


@pytest.mark.parametrize(("text", "kind"), SECRETS.items())
def test_a_secret_is_named_by_its_kind(text, kind):
    """Wherever it stands in a text."""
    assert find_secret(text) == kind
    assert find_secret(f"see {text} for it") == kind


@pytest.mark.parametrize("make", [base64.b64encode, base64.urlsafe_b64encode])
def test_random_tokens_are_found(make):
    """At least 99 of 100 tokens of the length e-conomic gives out."""
    dice = random.Random(20260101)
    tokens = [make(dice.randbytes(32)).decode().rstrip("=") for _ in range(1000)]
    assert sum(find_secret(token) is not None for token in tokens) >= 990


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Speciallægepraksisplanlægningsstabiliseringsperioden",
        "https://contoso.sharepoint.com/sites/crm2026/Lists/Companies/AllItems.aspx",
        "0bb1641a-3b3b-47f7-a11e-01279d92abfb",
        "/sites/0bb1641a-3b3b-47f7-a11e-01279d92abfb/lists/0BB1641A-3B3B-47F7-A11E-01279D92ABFB",
        "Sales_statistics_by_period_2026_and_2027_for_all_groups",
        "Token ring customers",
        "Secret customers",
        "Password: see the manual",
        "Bearer shares of customers",
        "economic:123456:10024",
        "0 2 * * *",
        "5790000000000, 32643000, +45 33 12 34 56, kontakt@example.dk",
        "x" * 200,
        "=" * 80,
    ],
)
def test_ordinary_texts_are_no_secrets(text):
    """GUIDs, addresses, names, numbers, and words that only speak of secrets."""
    assert find_secret(text) is None


def test_the_shipped_profiles_and_every_possible_rule_pass():
    """A mapping must never be refused for its names."""
    for path in (Path(__file__).parents[3] / "config" / "profiles").glob("*.json"):
        assert find_secret(path.read_text(encoding="utf-8")) is None
    for fields in CATALOGUE.values():
        for name in fields:
            for converter in CONVERTERS:
                rule = {"source": name, "target": "SecretToken", "converter": converter, "default": "Kodeord"}
                assert find_secret(json.dumps(rule)) is None


@given(st.lists(st.sampled_from("abcdefghijklmnopqrstuvwxyzæøå  "), max_size=300).map("".join))
def test_plain_words_are_never_secrets(text):
    """Letters of one case and blanks, however many."""
    assert find_secret(text) is None


@pytest.mark.parametrize(
    "column", ["Title", "KeyTarget", "KeySource", "Mapping", "SourceFilter", "Schedule", "OnBlank"]
)
@pytest.mark.parametrize("secret", SECRETS)
def test_a_profile_with_a_secret_is_refused_and_no_message_repeats_it(column, secret):
    """In any column; not even the row's name does when the title is the secret."""
    row = {**ROW, column: secret}
    with pytest.raises(ConfigError) as caught:
        parse_profile(row, f"profile '{row['Title']}' (row 3)")
    (problem,) = caught.value.problems
    assert "Secrets must not be stored in a list" in problem.message
    assert secret not in f"{problem} {caught.value} {caught.value.hint}"
    assert "(row 3)" in problem.where


def test_a_secret_does_not_hide_the_other_mistakes():
    """They are shown with it."""
    with pytest.raises(ConfigError) as caught:
        parse_profile({**ROW, "KeySource": "password: hemmelig1", "OnBlank": "wipe", "Source": "Debitr"}, "row")
    assert [problem.where for problem in caught.value.problems] == [
        "row, column Key (ERP)",
        "row, column Source",
        "row, column Blank source",
    ]
