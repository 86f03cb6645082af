"""The mapping of a profile: every rule checked, and every mistake named by the rule's number."""

from __future__ import annotations

import json
from typing import Any

import pytest

from worker.domain.profile import FieldRule, WriteRule
from worker.domain.profile_row import parse_profile
from worker.errors import ConfigError

ROW = {"Title": "P", "Source": "Customer", "Target": "CRM Company"}


def rules(*data: Any) -> tuple[FieldRule, ...]:
    """The rules of a profile without the key's own."""
    found = parse_profile({**ROW, "Mapping": json.dumps(data)}, "row").rules
    return tuple(rule for rule in found if rule.target != "CustomerID")


def problems(*data: Any) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        rules(*data)
    return [str(problem).removeprefix("row, column Mapping: ") for problem in caught.value.problems]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ({"source": " name ", "target": " City "}, FieldRule("City", "Name")),
        ({"source": "corporateIdentificationNumber", "target": "X"}, FieldRule("X", "CINumber")),
        ({"source": "Name", "target": "X", "rule": "fill IF blank"}, FieldRule("X", "Name", WriteRule.FILL_IF_BLANK)),
        ({"source": "Name", "target": "X", "converter": "Single line"},
         FieldRule("X", "Name", converter="single_line")),
        ({"source": "Name", "target": "X", "shorten": "ja"}, FieldRule("X", "Name", shorten=True)),
        ({"source": "", "target": "X", "default": 5}, FieldRule("X", None, default="5")),
        ({"source": None, "target": "X", "default": True}, FieldRule("X", None, default="Yes")),
        ({"source": "Balance", "target": "X", "default": 0}, FieldRule("X", "Balance", default="0")),
        ({"source": "GroupNumber", "target": "X", "default": "none"}, FieldRule("X", "GroupNumber", default="none")),
        ({"source": "LastInvoiceDate", "target": "X", "default": "2026-01-31"},
         FieldRule("X", "LastInvoiceDate", default="2026-01-31")),
        ({"source": "Barred", "target": "X", "default": "nej"}, FieldRule("X", "Barred", default="nej")),
        ({"source": "LastUpdated", "target": "X", "converter": "date", "default": "2026-01-31"},
         FieldRule("X", "LastUpdated", converter="date", default="2026-01-31")),
        ({"source": "ERPStatus", "target": "erp status"}, FieldRule("ERPStatus", "ERPStatus")),
        ({"source": "Name", "target": "title"}, FieldRule("Title", "Name")),
    ],
)  # fmt: skip
def test_rules_are_read_as_they_are_meant(data, expected):
    """Aliases, blanks, any case, Danish; known columns by their labels; constants as text."""
    assert rules(data) == (expected,)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ({}, ["rule 1: names no target column.", "rule 1: has neither a source field nor a default."]),
        ({"source": "", "default": " ", "target": "X"}, ["rule 1: has neither a source field nor a default."]),
        ({"source": ["Name"], "target": "X"}, ["rule 1: source must be a single value."]),
        ({"source": "Name", "traget": "X"}, [
            "rule 1: 'traget' is not known. Did you mean 'target'? "
            "Allowed: source, target, rule, converter, default, shorten.",
            "rule 1: names no target column.",
        ]),
        ({"source": "Name", "target": "X", "rule": "ERP own"}, [
            "rule 1: write rule 'ERP own' is not known. Did you mean 'ERP owns'? "
            "Allowed: ERP owns, Fill if blank, On create only.",
        ]),
        ({"source": "Balance", "target": "X", "default": "nothing"}, [
            "rule 1: default 'nothing' is not a number such as 0 or 12.50, which Balance needs.",
        ]),
        ({"source": "OldestOverdueDays", "target": "X", "default": "none"}, [
            "rule 1: default 'none' is not a number such as 0 or 12.50, which OldestOverdueDays needs.",
        ]),
        ({"source": "LastInvoiceDate", "target": "X", "default": "31-01-2026"}, [
            "rule 1: default '31-01-2026' is not a date such as 2026-01-31, which LastInvoiceDate needs.",
        ]),
        ({"source": "LastUpdated", "target": "X", "default": "2026-01-31"}, [
            "rule 1: default '2026-01-31' is not a point in time, which LastUpdated needs.",
        ]),
        ({"source": "Barred", "target": "X", "default": "perhaps"}, [
            "rule 1: default 'perhaps' is neither yes nor no, which Barred needs.",
        ]),
        ({"source": "Name", "target": "X", "converter": "date", "default": "soon"}, [
            "rule 1: default 'soon' is not a date such as 2026-01-31, which Name needs.",
        ]),
        ({"source": "Barred", "target": "X", "converter": "upper"}, [
            "rule 1: upper can't convert Barred, which is yes/no. Allowed: yes_no.",
        ]),
        ({"source": "Name", "target": "X", "shorten": "maybe"}, [
            "rule 1: shorten is neither yes nor no. Allowed: true, false.",
        ]),
    ],
)  # fmt: skip
def test_a_wrong_rule_is_named_with_what_is_right(data, expected):
    """Exactly the problems it has."""
    assert problems(data) == expected


def test_every_rule_of_a_mapping_is_checked():
    """The second and third mistake are seen with the first."""
    found = problems(
        {"source": "Nmae", "target": "Title"},
        {"source": "City", "target": "City"},
        {"source": "Zip", "target": " CITY "},
        "Phone",
    )
    assert [text.split(":")[0] for text in found] == ["rule 1", "rule 3", "rule 4"]
    assert "Did you mean Name" in found[0]
    assert found[1:] == ["rule 3: column CITY is mapped twice.", "rule 4: must be an object in { }."]


def test_a_key_that_is_mapped_from_something_else_is_refused_once():
    """A misspelt field is one mistake, not two."""
    (other,) = problems({"source": "Name", "target": "Customer ID"})
    assert other == "row, column Key (CRM): CustomerID is filled from Name, but the key is Number."
    (constant,) = problems({"target": "CustomerID", "default": "7"})
    assert "CustomerID is filled with a constant, but the key is Number." in constant
    (misspelt,) = problems({"source": "Nummber", "target": "CustomerID"})
    assert misspelt.startswith("rule 1: Customer has no field 'Nummber'. Did you mean Number")


def test_what_was_typed_is_repeated_safely_and_in_short():
    """No control character reaches a terminal, and no novel a message."""
    (found,) = problems({"source": "Name\x1b[31m" + "x" * 500, "target": "X"})
    assert "\x1b" not in found
    assert "x" * 100 not in found
