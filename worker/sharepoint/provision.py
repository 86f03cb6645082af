"""Provisioning: lists, columns, indexes and views that are missing. Idempotent; nothing is dropped, renamed or retyped.

Order and form follow what SharePoint needs: a list is made under an ASCII title, which fixes its address, and gets its
own title afterwards; columns come one after another (side by side they conflict) with their internal name kept; indexes
while the list is small. On a list that people own already, a column counts as there under any name binding would find.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

from office365.runtime.types.collections import StringCollection
from office365.sharepoint.fields.field import Field
from office365.sharepoint.lists.creation_information import ListCreationInformation
from office365.sharepoint.lists.list import List
from office365.sharepoint.lists.templates.type import ListTemplateType
from office365.sharepoint.views.create_information import ViewCreationInformation

from worker.domain.values import ColumnKind
from worker.errors import ConfigError, Problem
from worker.sharepoint.binding import find_field
from worker.sharepoint.definitions import (
    MAX_INDEXES,
    ColumnDefinition,
    Definitions,
    ListDefinition,
    ListKey,
    ViewDefinition,
)
from worker.sharepoint.field_xml import field_xml
from worker.sharepoint.site import SharePointSite
from worker.sharepoint.site_lists import FieldInfo, ListInfo

_KEEP_NAME = 8  # AddFieldInternalNameHint: the XML's Name becomes the internal name
# Above this number of items SharePoint refuses to add an index.
_INDEX_LIMIT = 20_000
_HINT = "Put these right in SharePoint; provisioning never changes what is there."
Language = Literal["en", "da"]


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do, in words, and how."""

    text: str
    act: Callable[[], None]

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True)
class ProvisionPlan:
    """What is missing, in the order it is made; `problems` are things only a person can put right."""

    steps: tuple[Step, ...]
    problems: tuple[Problem, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Nothing is missing."""
        return not self.steps


@dataclass
class _Found:
    """One list as it is found; `info` is filled in when the list is made."""

    definition: ListDefinition
    info: ListInfo | None = None
    fields: list[FieldInfo] = field(default_factory=list)
    views: frozenset[str] = frozenset()


class Provisioner:
    """Plans and makes what the definitions ask for. `language` of the display titles of what is made."""

    def __init__(self, site: SharePointSite, definitions: Definitions, language: Language = "en") -> None:
        self._site = site
        self._definitions = definitions
        self._language: Language = language
        self._found: dict[ListKey, _Found] = {}

    def plan(self) -> ProvisionPlan:
        """Looks at the site and says what is missing. Writes nothing."""
        self._site.forget()
        self._found = {key: self._look(key, definition) for key, definition in self._definitions.items()}
        steps: list[Step] = []
        problems: list[Problem] = []
        for found in self._found.values():
            steps += [*self._list_steps(found), *self._column_steps(found, problems), *self._view_steps(found)]
        return ProvisionPlan(tuple(steps), tuple(problems))

    def apply(self, plan: ProvisionPlan, told: Callable[[str], None] = lambda _text: None) -> None:
        """Does the steps in order, telling each before it is done. Raises ConfigError for problems before anything."""
        if plan.problems:
            raise ConfigError(plan.problems, hint=_HINT)
        for step in plan.steps:
            told(step.text)
            step.act()
        self._site.forget()

    def _look(self, key: ListKey, definition: ListDefinition) -> _Found:
        info = self._site.find_list(key)
        if info is None:
            return _Found(definition)
        pages = self._site.client.pages(f"{info.path}/views", {"$select": "Title"})
        views = frozenset(str(row["Title"]) for page in pages for row in page)
        return _Found(definition, info, self._site.lists.fields(info), views)

    # --- what is missing

    def _list_steps(self, found: _Found) -> Iterator[Step]:
        definition = found.definition
        if found.info is None:
            yield Step(f"create list '{definition.name(self._language)}'", lambda: self._make_list(found))
            return
        if found.info.title == definition.url != definition.name(self._language):
            # The title it was made under: provisioning was interrupted before the list got its own.
            yield Step(f"give list '{found.info.title}' its title", lambda: self._finish_list(found))
        elif definition.owner == "worker" and found.info.versioning:
            yield Step(f"switch versions off in list '{found.info.title}'", lambda: self._finish_list(found))

    def _column_steps(self, found: _Found, problems: list[Problem]) -> Iterator[Step]:
        indexes = sum(one.indexed for one in found.fields)
        for column in found.definition.columns:
            there = self._there(found, column)
            indexes += column.indexed and not (there and there.indexed)
            if there is None and not (found.info is None and column.name == "Title"):
                text = f"create column {column.name} ({_words(column)}) in '{found.definition.title}'"
                yield Step(text, lambda column=column: self._make_column(found, column))  # type: ignore[misc]
            elif there is not None and (problem := _unlike(found.definition, column, there)):
                problems.append(problem)
            elif column.indexed and not (there and there.indexed and (there.unique or not column.unique)):
                yield from self._index_steps(found, column, there, problems)
        if indexes > MAX_INDEXES:
            text = f"would have {indexes} indexed columns; SharePoint allows {MAX_INDEXES}."
            problems.append(Problem(f"list {found.definition.title}", text))

    def _index_steps(
        self, found: _Found, column: ColumnDefinition, there: FieldInfo | None, problems: list[Problem]
    ) -> Iterator[Step]:
        where = f"list {found.definition.title}, column {column.name}"
        if found.info is not None and found.info.item_count > _INDEX_LIMIT:
            text = f"must be indexed, which SharePoint refuses at {found.info.item_count} items."
            problems.append(Problem(where, text))
            return
        name = there.internal if there else column.name
        text = f"index column {name}{', unique' if column.unique else ''} in '{found.definition.title}'"
        yield Step(text, lambda: self._index(found, name, unique=column.unique))

    def _view_steps(self, found: _Found) -> Iterator[Step]:
        for view in found.definition.views:
            if not {view.title, view.danish} & found.views:
                text = f"create view '{view.name(self._language)}' in '{found.definition.title}'"
                # Someone else's list keeps the view it opens with.
                default = view.default and found.info is None
                yield Step(text, lambda view=view, default=default: self._make_view(found, view, default))  # type: ignore[misc]

    def _there(self, found: _Found, column: ColumnDefinition) -> FieldInfo | None:
        own = [one for one in found.fields if one.internal == column.name]
        if own or found.definition.owner == "worker":
            return own[0] if own else None
        names = self._site.names_for(found.definition.key)
        return next(iter(find_field(column.name, column, found.fields, names)), None)

    # --- making it

    def _make_list(self, found: _Found) -> None:
        definition, context = found.definition, self._site.client.context
        made = context.web.lists.add(ListCreationInformation(definition.url, None, ListTemplateType.GenericList))
        context.execute_query()
        self._site.forget()
        found.info = ListInfo(str(made.id).casefold(), definition.url, "", 0)
        self._finish_list(found)

    def _finish_list(self, found: _Found) -> None:
        definition, one = found.definition, self._list(found)
        if self._info(found).title == definition.url:
            one.set_property("Title", definition.name(self._language))
        if definition.owner == "worker":
            # Each nightly change would keep another full version of the item.
            one.set_property("EnableVersioning", False)
        one.update()
        self._site.client.context.execute_query()

    def _make_column(self, found: _Found, column: ColumnDefinition) -> None:
        xml = field_xml(column, column.title(self._language), self._lookup_guid(column))
        # The library's own method leaves the options out, and with them the internal name.
        body = {"parameters": {"SchemaXml": xml, "Options": _KEEP_NAME}}
        self._site.client.post(f"{self._path(found)}/fields/CreateFieldAsXml", body)

    def _index(self, found: _Found, name: str, *, unique: bool) -> None:
        column: Field = self._list(found).fields.get_by_internal_name_or_title(name)
        column.set_property("Indexed", True)
        if unique:
            column.set_property("EnforceUniqueValues", True)
        column.update()
        self._site.client.context.execute_query()

    def _make_view(self, found: _Found, view: ViewDefinition, default: bool) -> None:
        names = [self._shown(found, name) for name in view.columns]
        information = ViewCreationInformation(
            Title=view.name(self._language),
            ViewFields=StringCollection(names),
            RowLimit=view.row_limit,
            Query=view.query,
            PersonalView=False,
            Paged=True,
            SetAsDefaultView=default,
        )
        self._list(found).views.add(information)
        self._site.client.context.execute_query()

    def _shown(self, found: _Found, name: str) -> str:
        """The real column behind a logical name; the title as a link to the item."""
        if name == "Title":
            return "LinkTitle"
        column = found.definition.by_name.get(name)
        there = self._there(found, column) if column else None
        return there.internal if there else name

    def _lookup_guid(self, column: ColumnDefinition) -> str | None:
        info = self._found[column.lookup].info if column.lookup else None
        return info.guid if info else None

    def _path(self, found: _Found) -> str:
        return self._info(found).path

    def _list(self, found: _Found) -> List:
        return self._site.client.context.web.lists.get_by_id(self._info(found).guid)

    @staticmethod
    def _info(found: _Found) -> ListInfo:
        if found.info is None:
            raise RuntimeError("a list is made before anything in it")
        return found.info


def _words(column: ColumnDefinition) -> str:
    return column.type.value + (", unique" if column.unique else ", indexed" if column.indexed else "")


def _unlike(definition: ListDefinition, column: ColumnDefinition, there: FieldInfo) -> Problem | None:
    """A type or look-up that is not what the worker needs. Text where a number is meant, and the like, is left to
    binding, which knows what a profile really uses; a worker's own list must be exact."""
    where = f"list {definition.title}, column {there.internal}"
    if definition.owner == "worker" and there.kind is not column.type:
        return Problem(where, f"is of type {there.type_name}, but must be {column.type.value}.")
    if there.kind is None:
        return Problem(where, f"is of type {there.type_name}, which the worker can't fill.")
    if column.indexed and there.kind in (ColumnKind.NOTE, ColumnKind.URL):
        return Problem(where, f"is of type {there.type_name}, which can't be indexed.")
    return None


def as_json(plan: ProvisionPlan) -> dict[str, Any]:
    """The plan for a program to read."""
    return {"steps": [step.text for step in plan.steps], "problems": [str(problem) for problem in plan.problems]}
