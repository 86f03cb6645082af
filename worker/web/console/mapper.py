"""The mapper: the target's columns, e-conomic's fields beside them, and what is wrong at each row. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from worker.domain.converters import CONVERTERS
from worker.domain.fields import CATALOGUE, SourceField, resolve_field
from worker.domain.profile import Profile
from worker.domain.profile_row import COLUMNS
from worker.domain.profile_rules import same_column
from worker.domain.type_fit import misfit
from worker.domain.values import Column, ColumnKind
from worker.errors import Problem
from worker.sharepoint.binding import ColumnNames, find_field
from worker.sharepoint.definitions import ColumnDefinition, ListDefinition
from worker.sharepoint.site_lists import FieldInfo
from worker.web.console.drafts import NO_RULE, Draft

_NUMBERED = re.compile(r"rule (\d+): (.*)", re.DOTALL)
_COLUMN_NAMED = re.compile(r"column ([^,]+?)(?: \(set to .*\))?$")
# SharePoint's own columns that a mapping has no business with.
_SYSTEM = frozenset({"ContentType", "Attachments", "_ModerationComments", "_UIVersionString", "_ColorTag"})


@dataclass(frozen=True, slots=True)
class Slot:
    """A column that can be filled. `owner` is who fills it as shipped: erp, worker or people."""

    name: str
    display: str
    kind: ColumnKind
    required: bool
    owner: str
    on_site: bool
    column: Column
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class MapperRow:
    """One column with what is mapped to it. `misfits` are what types alone say; `certain` ones stop saving."""

    number: int
    slot: Slot
    rule: Mapping[str, str]
    is_key: bool
    field: SourceField | None
    problems: tuple[str, ...] = ()
    cautions: tuple[str, ...] = ()

    @property
    def is_mapped(self) -> bool:
        """Something fills it."""
        return bool(self.rule.get("source") or self.rule.get("default"))


def slots(definition: ListDefinition, fields: Sequence[FieldInfo], names: ColumnNames) -> list[Slot]:
    """Every column of the list that can be filled: those the worker knows, then the site's own. `fields` empty = the
    site can't be asked, and the definition alone is shown."""
    found: list[Slot] = []
    taken: set[str] = set()
    for one in definition.columns:
        real = find_field(one.name, one, fields, names)
        if len(real) == 1 and real[0].kind is not None:
            taken.add(real[0].internal)
            found.append(_known(one, real[0].as_column(one.name), on_site=True))
        else:
            found.append(_known(one, one.as_column(), on_site=not fields))
    return found + [_own(one) for one in fields if _is_free(one) and one.internal not in taken]


def _known(one: ColumnDefinition, column: Column, *, on_site: bool) -> Slot:
    owner = one.filled or "people"
    return Slot(one.name, column.display, column.kind, column.required, owner, on_site, column, one.aliases)


def _own(one: FieldInfo) -> Slot:
    column = one.as_column(one.title)
    return Slot(one.title, one.title, column.kind, one.required, "people", True, column)


def _is_free(one: FieldInfo) -> bool:
    hidden = one.hidden or one.read_only or one.kind is None or one.rich_text
    return not hidden and one.internal not in _SYSTEM and not one.internal.startswith("_")


def rows_of(draft: Draft, every: Sequence[Slot], told: Sequence[Problem] = ()) -> tuple[list[MapperRow], list[Problem]]:
    """All rows, mapped ones first in the order of the profile, and the problems that belong to no row. `told` are those
    of the profile's checks and of its binding to the site."""
    by_rule, by_column, rest = _sorted_problems(told)
    mapped = draft.mapped()
    order = {_plain(rule["target"]): at for at, rule in enumerate(mapped)}
    unknown = [_unknown(rule) for rule in mapped if not any(same_column(rule["target"], one.name) for one in every)]
    chosen = sorted(
        (one for one in [*every, *unknown] if _plain(one.name) in order), key=lambda one: order[_plain(one.name)]
    )
    free = [one for one in every if _plain(one.name) not in order]
    rows = []
    for number, slot in enumerate([*chosen, *free]):
        at = order.get(_plain(slot.name))
        said = [*by_rule.get(at + 1 if at is not None else -1, []), *by_column.pop(_plain(slot.name), [])]
        rows.append(_row(number, slot, draft, said))
    rest += [Problem(name, text) for name, texts in by_column.items() for text in texts]
    return rows, rest


def _row(number: int, slot: Slot, draft: Draft, said: list[str]) -> MapperRow:
    rule = draft.rule_of(slot.name)
    field = resolve_field(draft.source, rule["source"]) if rule.get("source") else None
    wrong = misfit(field, rule.get("converter"), slot.column)
    cautions = [wrong.text] if wrong and not wrong.certain else []
    if rule.get("target") and not slot.on_site and (rule.get("source") or rule.get("default")) and not said:
        cautions.append("The list has no such column yet. Make it on the page Connection.")
    problems = [*said, *([wrong.text] if wrong and wrong.certain else [])]
    is_key = same_column(draft.cells.get("KeyTarget", ""), slot.name)
    return MapperRow(number, slot, rule, is_key, field, tuple(problems), tuple(cautions))


def type_problems(profile: Profile, every: Sequence[Slot]) -> list[Problem]:
    """Rules that no value at all could satisfy."""
    found = []
    for rule in profile.rules:
        slot = next((one for one in every if same_column(one.name, rule.target)), None)
        field = resolve_field(profile.source, rule.source) if rule.source else None
        wrong = misfit(field, rule.converter, slot.column) if slot else None
        if wrong is not None and wrong.certain:
            found.append(Problem(f"column {rule.target}", wrong.text))
    return found


def suggested(draft: Draft, every: Sequence[Slot], shipped: Sequence[Profile]) -> Draft:
    """The draft with empty rows filled: by a field of the column's own name or one of its aliases, else as the shipped
    profiles of the same source do it. What is mapped stays; nothing is suggested that types alone refuse."""
    rules = [dict(rule) for rule in draft.mapped()]
    for slot in every:
        if slot.on_site and not any(same_column(rule["target"], slot.name) for rule in rules):
            rule = _by_name(draft, slot) or _as_shipped(draft, slot, shipped)
            if rule is not None:
                rules.append(rule)
    return Draft(
        draft.source, draft.target, draft.cells, draft.enabled, rules, draft.groups, draft.barred, draft.months,
        draft.periods, draft.version, draft.is_new,
    )  # fmt: skip


def _by_name(draft: Draft, slot: Slot) -> dict[str, str] | None:
    if slot.kind in (ColumnKind.LOOKUP, ColumnKind.PERSON):
        return None
    for name in (slot.name, slot.display, *slot.aliases):
        field = resolve_field(draft.source, name)
        if field is not None and misfit(field, None, slot.column) is None:
            return {**NO_RULE, "target": slot.name, "source": field.name}
    return None


def _as_shipped(draft: Draft, slot: Slot, shipped: Sequence[Profile]) -> dict[str, str] | None:
    for profile in shipped:
        if profile.source is not draft.source or profile.target is not draft.target:
            continue
        for rule in profile.rules:
            if same_column(rule.target, slot.name) and rule.source:
                converter = rule.converter or ""
                return {**NO_RULE, "target": slot.name, "source": rule.source, "converter": converter}
    return None


def source_fields(draft: Draft) -> Sequence[SourceField]:
    """What can be chosen."""
    return tuple(CATALOGUE[draft.source].values())


def converters_for(field: SourceField | None) -> list[str]:
    """Converters that take the field's type; all when it is not known."""
    return [name for name, one in CONVERTERS.items() if field is None or field.type in one.accepts]


DRAFT = "profile"  # how messages name the profile in the editor
_DISPLAYS = {display: name for name, (display, _) in COLUMNS.items()}


def cell_of(problem: Problem) -> str:
    """The cell of this profile's row that a problem is about; "" for none, and for cells of other profiles."""
    head, _, display = problem.where.partition(", column ")
    return _DISPLAYS.get(display, "") if head == DRAFT else ""


def _sorted_problems(
    told: Sequence[Problem],
) -> tuple[dict[int, list[str]], dict[str, list[str]], list[Problem]]:
    """By number of the rule, by column of the target, and the others."""
    by_rule: dict[int, list[str]] = {}
    by_column: dict[str, list[str]] = {}
    rest: list[Problem] = []
    for problem in told:
        numbered = _NUMBERED.fullmatch(problem.message)
        named = _COLUMN_NAMED.search(problem.where)
        if cell_of(problem) == "Mapping" and numbered:
            by_rule.setdefault(int(numbered[1]), []).append(numbered[2])
        elif named and _DISPLAYS.get(named[1]) is None:
            by_column.setdefault(_plain(named[1]), []).append(problem.message)
        else:
            rest.append(problem)
    return by_rule, by_column, rest


def _unknown(rule: Mapping[str, str]) -> Slot:
    """A column that a profile names and nobody knows."""
    name = rule["target"]
    column = Column(name=name, internal=name, display=name, kind=ColumnKind.TEXT)
    return Slot(name, name, ColumnKind.TEXT, False, "people", False, column)


def _plain(name: str) -> str:
    return "".join(name.split()).casefold()
