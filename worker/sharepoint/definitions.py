"""The lists as the worker knows them: `config/lists/*.json`, checked.

A definition serves twice: binding takes a logical column's names, type and choices from it, and provisioning makes
the list from it. A logical name is the internal name a list made by the worker has. How things look stands in
`config/formatting`; a definition only names it (see `formatting`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic.alias_generators import to_camel

from worker.domain.values import Column, ColumnKind, TargetKind
from worker.errors import ConfigError, Problem

ListKey = Literal[
    "companies", "contacts", "invoices", "sales-statistics", "mapping-profiles", "sync-runs", "sync-row-results"
]
LIST_OF: Mapping[TargetKind, ListKey] = {
    TargetKind.COMPANY: "companies",
    TargetKind.CONTACT: "contacts",
    TargetKind.INVOICE: "invoices",
    TargetKind.STATISTICS: "sales-statistics",
}
# SharePoint's own limits: indexes per list, and characters of an internal name that nothing cuts.
MAX_INDEXES = 20
_NAME = r"^[A-Za-z][A-Za-z0-9]{0,31}$"
_FIELD_REF = re.compile(r'(<FieldRef\b[^>]*?\bName=")([^"]*)(")')
# What fills a column: e-conomic, the worker's own bookkeeping, or people who ask the worker or are asked by it. The
# column's description tells them.
Filler = Literal["erp", "worker", "request", "review"]
_INDEXABLE = frozenset(set(ColumnKind) - {ColumnKind.NOTE, ColumnKind.URL})


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel, populate_by_name=True)


class ColumnDefinition(_Model):
    """One column. `unique` needs `indexed`; `lookup` names the list a look-up points to; `formatter` a file of
    `config/formatting`."""

    name: str = Field(pattern=_NAME)
    display: str
    danish: str | None = None
    type: ColumnKind
    aliases: tuple[str, ...] = ()
    required: bool = False
    indexed: bool = False
    unique: bool = False
    max_length: int | None = Field(None, ge=1, le=255)
    decimals: int | None = Field(None, ge=0, le=5)
    choices: tuple[str, ...] = ()
    default: str | None = None
    lookup: ListKey | None = None
    filled: Filler | None = None
    formatter: str | None = None

    @model_validator(mode="after")
    def _consistent(self) -> ColumnDefinition:
        if self.unique and not self.indexed:
            raise ValueError(f"{self.name} is unique, so it must be indexed")
        if self.indexed and self.type not in _INDEXABLE:
            raise ValueError(f"{self.name}: a {self.type} column can't be indexed")
        if (self.type is ColumnKind.CHOICE) != bool(self.choices):
            raise ValueError(f"{self.name}: choices belong to Choice columns, and those need them")
        if (self.type is ColumnKind.LOOKUP) != (self.lookup is not None):
            raise ValueError(f"{self.name}: a look-up names its list, and only a look-up does")
        if self.formatter and not self.filled:
            # Its description is what later tells a formatter that was never there from one that a person took away.
            raise ValueError(f"{self.name}: a column with a formatter says what fills it")
        return self

    def title(self, language: str) -> str:
        """Display title."""
        return self.danish if language == "da" and self.danish else self.display

    def as_column(self) -> Column:
        """As it stands in a list made by the worker."""
        return Column(
            name=self.name,
            internal=self.name,
            display=self.display,
            kind=self.type,
            required=self.required,
            max_length=self.max_length,
            decimals=self.decimals,
            choices=self.choices,
            indexed=self.indexed,
            unique=self.unique,
        )


class ViewShape(_Model):
    """What a view shows; `query` is CAML. Columns go by their logical names in both."""

    columns: tuple[str, ...] = Field(min_length=1)
    query: str = ""

    def names(self) -> Iterator[str]:
        """Every column it shows, groups, sorts or filters by."""
        yield from self.columns
        yield from (name for _, name, _ in _FIELD_REF.findall(self.query))

    def query_with(self, internal: Mapping[str, str]) -> str:
        """The query with real internal names in the place of logical ones."""
        return _FIELD_REF.sub(lambda part: f"{part[1]}{internal.get(part[2], part[2])}{part[3]}", self.query)


class ViewDefinition(ViewShape):
    """A view. `default` counts only when the worker makes the list; `earlier` are shapes it had in earlier versions of
    the worker: one that still stands like that was not changed by a person. `formatter` as for a column."""

    title: str
    danish: str | None = None
    row_limit: int = Field(100, ge=1, le=5000)
    default: bool = False
    formatter: str | None = None
    earlier: tuple[ViewShape, ...] = ()

    def name(self, language: str) -> str:
        """Title in a language."""
        return self.danish if language == "da" and self.danish else self.title


class ListDefinition(_Model):
    """One list. `owner` "worker": only the worker writes it, so versions are switched off; "crm": people's own. `form`
    names a file of `config/formatting` that lays out its form."""

    key: ListKey
    title: str
    danish: str | None = None
    aliases: tuple[str, ...] = ()
    url: str = Field(pattern=_NAME)
    owner: Literal["worker", "crm"]
    key_column: str | None = None
    columns: tuple[ColumnDefinition, ...] = Field(min_length=1)
    views: tuple[ViewDefinition, ...] = ()
    form: str | None = None

    @model_validator(mode="after")
    def _whole(self) -> ListDefinition:
        names = [column.name for column in self.columns]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"columns named twice: {', '.join(twice)}")
        if sum(column.indexed for column in self.columns) > MAX_INDEXES:
            raise ValueError(f"more than {MAX_INDEXES} indexed columns")
        known = {*names, "ID", "Modified"}
        shapes = [shape for view in self.views for shape in (view, *view.earlier)]
        unknown = sorted({name for shape in shapes for name in shape.names() if name not in known})
        if unknown:
            raise ValueError(f"views show unknown columns: {', '.join(unknown)}")
        return self

    @cached_property
    def by_name(self) -> Mapping[str, ColumnDefinition]:
        """Columns by logical name."""
        return {column.name: column for column in self.columns}

    def name(self, language: str) -> str:
        """Title in a language."""
        return self.danish if language == "da" and self.danish else self.title

    def titles(self) -> tuple[str, ...]:
        """Everything the list may be called on a site."""
        return tuple(dict.fromkeys(part for part in (self.title, self.danish, *self.aliases) if part))


Definitions = Mapping[ListKey, ListDefinition]


def load_definitions(folder: Path, *, unique_customer_id: bool = False) -> Definitions:
    """All lists of `folder`, in the order they must be made. Raises ConfigError with every problem found.

    `unique_customer_id`: Customer ID of companies becomes a unique column. Only for sites that let several companies
    leave it blank, as prospects do; without it the worker itself refuses to guess between two.
    """
    found: dict[ListKey, ListDefinition] = {}
    problems: list[Problem] = []
    for key in get_args(ListKey):
        file = folder / f"{key}.json"
        try:
            found[key] = ListDefinition.model_validate_json(file.read_bytes())
        except OSError as error:
            problems.append(Problem(str(file.name), f"can't be read ({error.strerror})."))
        except ValidationError as error:
            problems += [_problem(file.name, one) for one in error.errors(include_url=False, include_input=False)]
    if problems:
        raise ConfigError(problems, hint="Restore config/lists as shipped with the worker, or set SYNC_CONFIG_DIR.")
    return {**found, "companies": _with_unique(found["companies"], "CustomerID")} if unique_customer_id else found


def _with_unique(definition: ListDefinition, name: str) -> ListDefinition:
    columns = tuple(
        column.model_copy(update={"unique": True}) if column.name == name else column for column in definition.columns
    )
    return definition.model_copy(update={"columns": columns})


def _problem(file: str, error: Mapping[str, object]) -> Problem:
    place = ".".join(str(part) for part in error["loc"])  # type: ignore[attr-defined]
    return Problem(f"{file}, {place}" if place else file, f"{error['msg']}.")
