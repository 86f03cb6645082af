"""The import arrows between the rooms, as a test."""

from __future__ import annotations

from importlinter.cli import EXIT_STATUS_SUCCESS, lint_imports


def test_imports_follow_the_rooms():
    """Every contract of pyproject.toml holds, and every module has a room."""
    assert lint_imports(no_cache=True, no_logo=True) == EXIT_STATUS_SUCCESS
