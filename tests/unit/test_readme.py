"""The README stays true to the code."""

from __future__ import annotations

from tests.support.readme import BLOCKS, README, rendered


def test_generated_parts_of_the_readme_are_up_to_date():
    """Run `make readme` after changing a setting, a field or a converter."""
    text = README.read_text(encoding="utf-8")
    assert all(f"<!-- {name}: made from code -->" in text for name in BLOCKS)
    assert rendered(text) == text
