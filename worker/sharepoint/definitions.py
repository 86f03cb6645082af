"""List definitions from config/lists/*.json, checked."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from worker.errors import ConfigError, Problem

ColumnType = Literal[
    "Text", "Note", "Number", "Currency", "Date", "DateTime", "Choice", "Boolean", "Lookup", "User", "URL"
]


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel, populate_by_name=True)


class ColumnDefinition(_Model):
    """One column: `name` is the internal name (plain ASCII, at most 32 characters), `display` what people see."""

    name: str = Field(pattern=r"^[A-Za-z][A-Za-z0-9]{0,31}$")
    display: str
    type: ColumnType
    description: str = ""
    indexed: bool = False
    unique: bool = False
    max_length: int | None = None
    decimals: int | None = None
    choices: tuple[str, ...] = ()
    default: str | None = None
    lookup_list: str | None = None


class OrderBy(_Model):
    """One sort column of a view."""

    column: str
    descending: bool = False


class Where(_Model):
    """A view's condition on one column."""

    column: str
    equals: str | None = None
    not_equals: str | None = None


class ViewDefinition(_Model):
    """One view, by title."""

    title: str
    columns: tuple[str, ...]
    order_by: tuple[OrderBy, ...] = ()
    where: Where | None = None


class ListDefinition(_Model):
    """One list. `target` is the profile target it serves; lists that the worker owns keep no versions by default."""

    title: str
    description: str = ""
    worker_owned: bool
    versioning: bool = False
    target: str | None = None
    columns: tuple[ColumnDefinition, ...]
    views: tuple[ViewDefinition, ...] = ()


def load_definitions(folder: Path, *, unique_customer_id: bool = False) -> list[ListDefinition]:
    """All definitions, those that others look up first. Raises ConfigError naming file and place of each mistake."""
    found: list[ListDefinition] = []
    problems: list[Problem] = []
    for path in sorted(folder.glob("*.json")):
        try:
            found.append(ListDefinition.model_validate_json(path.read_text(encoding="utf-8")))
        except ValidationError as error:
            problems += [
                Problem(f"{path.name}, {'.'.join(map(str, one['loc'])) or 'file'}", f"{one['msg']}.")
                for one in error.errors(include_input=False, include_url=False)
            ]
    if not found and not problems:
        problems.append(Problem(f"folder {folder}", "holds no list definitions (*.json)."))
    if problems:
        raise ConfigError(problems, hint="Correct the files in config/lists.")
    return [_with_unique(one) if unique_customer_id else one for one in _ordered(found)]


def _ordered(definitions: Sequence[ListDefinition]) -> list[ListDefinition]:
    """Lists without look-ups first: a look-up column needs the id of its list."""
    return sorted(definitions, key=lambda one: any(column.lookup_list for column in one.columns))


def _with_unique(definition: ListDefinition) -> ListDefinition:
    if definition.target != "CRM Company":
        return definition
    columns = tuple(
        column.model_copy(update={"unique": True}) if column.name == "CustomerID" else column
        for column in definition.columns
    )
    return definition.model_copy(update={"columns": columns})
