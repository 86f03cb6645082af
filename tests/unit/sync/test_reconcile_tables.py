"""The comparison knows every field that a profile may map, and knows it by itself."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from worker.domain.fields import CATALOGUE
from worker.domain.profile import SourceKind
from worker.sync.reconcile_fields import FIELDS, OF_THE_RUN, UNCOMPARED
from worker.sync.reconcile_figures import BY_YEAR, FIGURES

SYNC = Path(__file__).parents[3] / "worker" / "sync"
# Values, ports and words. Nothing that maps, converts, matches, plans, or adds up for the lists.
MAY_BE_IMPORTED = {
    "worker.domain.encode",
    "worker.domain.profile",
    "worker.domain.records",
    "worker.domain.render.json",
    "worker.domain.values",
    "worker.errors",
    "worker.ports",
}


@pytest.mark.parametrize("source", SourceKind)
def test_every_field_is_compared_or_said_not_to_be(source):
    known = set(FIELDS[source]) | set(UNCOMPARED) | OF_THE_RUN
    assert set(CATALOGUE[source]) <= known
    assert set(FIELDS[source]) <= set(CATALOGUE[source])


def test_figures_by_year_are_figures():
    assert set(FIGURES) > BY_YEAR


@pytest.mark.parametrize("path", sorted(SYNC.glob("reconcile*.py")), ids=lambda path: path.stem)
def test_the_counting_is_independent(path):
    """A fault of the planning would hide itself in a comparison that shares its code."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    imported = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module}
    imported |= {name.name for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names}
    ours = {name for name in imported if name.startswith("worker.")}
    assert {name for name in ours if not name.startswith("worker.sync.reconcile_")} <= MAY_BE_IMPORTED
