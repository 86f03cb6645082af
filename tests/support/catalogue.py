"""Everything that the pages may say in English, found in templates and sources: what the catalogues must have.

    templates()   texts of templates, with their plurals
    words()       fixed words of the code that pages show
    places()      where problems are: their first part, in the same way
    sentences()   what the code tells people: errors, hints, problems, warnings; `{a}`, `{b}`... stand for values

Commands, stores and settings files speak to operators, in English only.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path

from worker.domain import matching
from worker.domain.field_tables import INVOICE_STATES
from worker.domain.fields import CATALOGUE
from worker.domain.plan import ChangeKind, RowOutcome
from worker.domain.profile import ImportType, OnBlank, OnMissing, PeriodType, SourceKind, WriteRule
from worker.domain.profile_row import COLUMNS
from worker.domain.report import RunMode, RunStatus, Trigger
from worker.domain.trend import TRENDS
from worker.domain.values import TargetKind
from worker.engine import hints
from worker.engine.jobs import JobState
from worker.settings import GROUPS
from worker.sync import explain
from worker.web import access, problems, texts
from worker.web.console import common, drafts, editor
from worker.web.render import environment

ROOT = Path(__file__).parents[2] / "worker"
_ENUMS: tuple[type[StrEnum], ...] = (
    RunStatus, JobState, Trigger, ImportType, WriteRule, OnBlank, OnMissing, PeriodType, TargetKind, ChangeKind,
    RowOutcome,
)  # fmt: skip
# Rooms whose sentences reach a page. Not: commands, stores, settings files, telemetry, the emulators.
_ROOMS = ("domain", "economic", "engine", "sharepoint", "sync", "web", "wiring")
_MODULES = ("transport.py", "errors.py")
# Of these rooms, what only operators at a terminal or a log can meet.
_NOT_SHOWN = frozenset({"plan_file.py", "ledger.py", "definitions.py", "certificate.py", "auth.py", "formatting.py",
                        "names.py", "secrets_guard.py", "stored_plan.py"})  # fmt: skip
# Modules that make sentences without an error around them.
_WHOLE = ("domain/brake.py", "domain/profile_lint.py", "domain/schedule.py", "domain/type_fit.py", "sync/outcome.py",
          "web/console/mapper.py", "sync/linking.py", "sync/undo_writing.py", "web/console/linking.py",
          "engine/engine.py",
          "wiring/checking.py")  # fmt: skip
# Words that stand in calls and tuples: names of what a test found, first steps.
_WORDS_IN = {
    "wiring/checking.py": r'\("([A-Z][A-Za-z -]+)", ',
    "web/console/overview.py": r'SetUpStep\("([^"]+)"',
    "web/console/common.py": r'"([A-Z][a-z ]+\.)" if problems',
}
_OURS = re.compile(r"(Error|Problem)$|^problem$")
_PLAIN_ERRORS = frozenset({"ValueError", "TypeError", "RuntimeError", "KeyError", "RowError", "IndexError"})
# What the checks of settings say of values that can be typed on the page of a connection.
_CHECKS = {"setting_groups.py": {"_checked_url", "_month_day"}}
_LETTERS = "abcdefgh"


def templates() -> set[str | tuple[str, str]]:
    """A plural is a pair."""
    made = environment("en")
    found: set[str | tuple[str, str]] = set()
    for path in sorted((ROOT / "web" / "templates").glob("*.html")):
        source = path.read_text(encoding="utf-8")
        for _, function, text in made.extract_translations(source):  # type: ignore[attr-defined]
            parts = [part for part in (text if isinstance(text, tuple) else (text,)) if part]
            if function == "ngettext":
                found.add((parts[0], parts[1]))
            elif parts:
                found.add(parts[0])
    return found


def words() -> set[str]:
    """Values of enumerations, titles, labels and the like."""
    found = {member.value for kind in _ENUMS for member in kind} | {drafts.DEBTOR, "Command", *TRENDS}
    found |= {kind.value for kind in SourceKind if kind is not SourceKind.CUSTOMER}
    found |= {text for _, text in common.NOTICES.values()} | {title for _, _, title in problems._STATUS}
    found |= set(editor.IMPORT_SAYS.values()) | set(editor.SCHEDULES.values())
    found |= {display for display, _ in COLUMNS.values()}
    found |= {field.meaning for fields in CATALOGUE.values() for field in fields.values()}
    found |= {explain.WRITTEN, explain.EQUAL, "kept", "rides along", "less than a second", "yes", "no"}
    found |= {*matching.REASONS.values(), *matching.RULES.values()}
    found |= {hints.FORGOTTEN, access.LOCAL}
    found |= {*texts.FIELDS.values(), *texts.PLACES, *texts.COLUMN_PLACES}
    found |= {*INVOICE_STATES, *(choice for one in CATALOGUE[SourceKind.CUSTOMER].values() for choice in one.choices)}
    for path, pattern in _WORDS_IN.items():
        found.update(re.findall(pattern, (ROOT / path).read_text(encoding="utf-8")))
    return found - {RunMode.PLAN.value}


def sentences() -> set[str]:
    """Of the rooms that pages are fed from."""
    found: set[str] = set()
    for path, tree in _sources():
        found.update(_told(tree))
        if path.relative_to(ROOT).as_posix() in _WHOLE:
            found.update(_every(tree))
    found.update(_of_settings())
    return {text for text in found if re.search(r"[a-z]{2}", re.sub(r"\{\w\}", "", text))}


def _of_settings() -> Iterator[str]:
    for name in texts.FIELDS:
        group, _, setting = name.partition("_")
        field = GROUPS[group.casefold()].model_fields[setting.casefold()]
        if field.is_required():
            yield f"is not set. {field.description}"
    for file, names in _CHECKS.items():
        for node in ast.walk(ast.parse((ROOT / file).read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef) and node.name in names:
                raised = (one.exc for one in ast.walk(node) if isinstance(one, ast.Raise))
                yield from (f"{_text(one.args[0])}." for one in raised if isinstance(one, ast.Call))


def places() -> set[str]:
    """Of the same rooms."""
    calls = (node for _, tree in _sources() for node in ast.walk(tree) if isinstance(node, ast.Call))
    made = (node for node in calls if getattr(node.func, "id", "") == "Problem" and node.args)
    return {text for node in made if (text := _text(node.args[0]))}


def _sources() -> Iterator[tuple[Path, ast.AST]]:
    files = [path for room in _ROOMS for path in sorted((ROOT / room).rglob("*.py"))]
    for path in [*files, *(ROOT / name for name in _MODULES)]:
        if path.name not in _NOT_SHOWN:
            yield path, ast.parse(path.read_text(encoding="utf-8"))


def _every(tree: ast.AST) -> Iterator[str]:
    """Whatever reads like a sentence and is no docstring."""
    docstrings = {node.value for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    wholes = [node for node in ast.walk(tree) if isinstance(node, ast.JoinedStr | ast.BinOp)]
    inside = {part for node in wholes for part in ast.walk(node) if part is not node}
    for node in ast.walk(tree):
        if isinstance(node, ast.expr) and node not in docstrings and node not in inside:
            text = _text(node) or ""
            if " " in text and text.endswith(".") and re.match(r"[A-Z{']", text):
                yield text


def _told(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        name = getattr(node.func, "id", getattr(node.func, "attr", ""))
        for argument in _arguments(name, node):
            if text := _text(argument):
                yield text


def _arguments(name: str, node: ast.Call) -> list[ast.expr]:
    """Those that hold sentences."""
    if not _OURS.search(name) or name in _PLAIN_ERRORS:
        return []
    hints = [word.value for word in node.keywords if word.arg == "hint"]
    match name:
        case "Problem" | "_problem" | "problem" if name != "problem" or len(node.args) != 3:
            return [*node.args[1:2], *hints] if name != "_problem" else [*node.args[:1], *hints]
        case "problem":
            return [*node.args[1:3], *hints]
        case _:
            return [*node.args[:1], *hints]


def _text(node: ast.expr) -> str | None:
    """A literal, with letters for what is filled in; None for anything else."""
    parts = _parts(node)
    if parts is None:
        return None
    letters = iter(_LETTERS)
    return "".join(part if part is not None else f"{{{next(letters)}}}" for part in parts)


def _parts(node: ast.expr) -> list[str | None] | None:
    match node:
        case ast.Constant(value=str(text)):
            return [text]
        case ast.JoinedStr(values=values):
            return [value.value if isinstance(value, ast.Constant) else None for value in values]
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            before, after = _parts(left), _parts(right)
            return None if before is None or after is None else [*before, *after]
        case _:
            return None
