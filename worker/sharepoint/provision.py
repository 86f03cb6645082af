"""Provisioning: lists, columns, indexes and views that are missing. Idempotent; nothing is dropped or renamed.

Order and form follow what SharePoint needs: a list is made under an ASCII title, columns one after another (side by
side they conflict) with the internal name kept (option 8), indexes while the list is small.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from office365.runtime.types.collections import StringCollection
from office365.sharepoint.fields.field import Field
from office365.sharepoint.lists.creation_information import ListCreationInformation
from office365.sharepoint.lists.list import List
from office365.sharepoint.lists.templates.type import ListTemplateType
from office365.sharepoint.views.create_information import ViewCreationInformation

from worker.domain.values import TargetKind
from worker.errors import ConfigError, NotFoundError, Problem
from worker.sharepoint.client import SharePointClient, list_path
from worker.sharepoint.definitions import ColumnDefinition, ListDefinition, ViewDefinition, Where
from worker.sharepoint.site import SharePointSite

_KEEP_NAME = 8  # AddFieldInternalNameHint: the XML's Name becomes the internal name
_DANISH = 1030
_ROW_LIMIT = 100
_TYPES = {"Date": "DateTime"}  # a Date is a DateTime column with the format DateOnly


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do, in words, and how."""

    text: str
    act: Callable[[], None]


@dataclass(frozen=True)
class ProvisionPlan:
    """What is missing, in the order it is made; `problems` are things only a person can put right."""

    steps: tuple[Step, ...]
    problems: tuple[Problem, ...] = ()


@dataclass
class _Survey:
    """One list as it is found; `list_id` is filled when the list is made."""

    definition: ListDefinition
    list_id: str | None = None
    columns: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    views: frozenset[str] = frozenset()


class Provisioner:
    """Plans and makes what the definitions ask for."""

    def __init__(self, site: SharePointSite, definitions: Sequence[ListDefinition]) -> None:
        self._site = site
        self._client: SharePointClient = site.client
        self._definitions = definitions
        self._surveys: dict[str, _Survey] = {}

    def plan(self) -> ProvisionPlan:
        """Looks at the site and says what is missing. Writes nothing."""
        self._site.forget()
        self._surveys = {one.title: self._survey(one) for one in self._definitions}
        steps: list[Step] = []
        problems: list[Problem] = []
        for survey in self._surveys.values():
            steps += self._list_steps(survey)
            more, wrong = self._column_steps(survey)
            steps += [*more, *self._view_steps(survey)]
            problems += wrong
        return ProvisionPlan(tuple(steps), tuple(problems))

    def apply(self, plan: ProvisionPlan, told: Callable[[str], None]) -> None:
        """Does the steps in order. Raises ConfigError for problems before anything is done."""
        if plan.problems:
            raise ConfigError(
                plan.problems, hint="Put these right in SharePoint; provisioning never changes a column's type."
            )
        for step in plan.steps:
            told(step.text)
            step.act()
        self._site.forget()

    def _survey(self, definition: ListDefinition) -> _Survey:
        survey = _Survey(definition)
        try:
            survey.list_id = self._site.list_info(self._address(definition)).list_id
        except NotFoundError:
            return survey
        fields = self._site.raw_fields(survey.list_id)
        survey.columns = {str(one["InternalName"]): one for one in fields}
        views = [row for page in self._client.pages(f"{list_path(survey.list_id)}/views?$select=Title") for row in page]
        survey.views = frozenset(str(view["Title"]) for view in views)
        return survey

    def _address(self, definition: ListDefinition) -> str:
        kind = next((kind for kind in TargetKind if kind.value == definition.target), None)
        return definition.title if kind is None else self._site.list_address(kind)

    def _list_steps(self, survey: _Survey) -> list[Step]:
        if survey.list_id is not None:
            return []
        return [Step(f"create list '{survey.definition.title}'", lambda: self._make_list(survey))]

    def _column_steps(self, survey: _Survey) -> tuple[list[Step], list[Problem]]:
        steps: list[Step] = []
        problems: list[Problem] = []
        for column in survey.definition.columns:
            there = survey.columns.get(column.name)
            place = f"'{survey.definition.title}'"
            if there is None and column.name == "Title":
                there = {"TypeAsString": "Text"}  # every new list has it
            if there is None:
                text = f"create column {column.name} ({column.type}{_marks(column)}) in {place}"
                steps.append(Step(text, self._maker(survey, column)))
            elif there["TypeAsString"] != _TYPES.get(column.type, column.type):
                where = f"list {place}, column {column.name}"
                problems.append(Problem(where, f"is {there['TypeAsString']}, but should be {column.type}."))
            elif _lacks(column, there):
                steps.append(
                    Step(f"index column {column.name}{_marks(column)} in {place}", self._indexer(survey, column))
                )
        return steps, problems

    def _view_steps(self, survey: _Survey) -> list[Step]:
        return [
            Step(f"create view '{view.title}' in '{survey.definition.title}'", self._viewer(survey, view))
            for view in survey.definition.views
            if view.title not in survey.views
        ]

    def _list(self, survey: _Survey) -> List:
        return self._client.context.web.lists.get_by_id(str(survey.list_id))

    def _make_list(self, survey: _Survey) -> None:
        definition, context = survey.definition, self._client.context
        made = context.web.lists.add(
            ListCreationInformation(definition.title, definition.description, ListTemplateType.GenericList)
        )
        self._client.library(context.execute_query)
        survey.list_id = str(made.id)
        if definition.worker_owned and not definition.versioning:
            # Each nightly change would keep another full version of the item.
            made.set_property("EnableVersioning", False).update()
            self._client.library(context.execute_query)

    def _maker(self, survey: _Survey, column: ColumnDefinition) -> Callable[[], None]:
        def act() -> None:
            xml = _schema(column, self._lookup_id(column))
            # The library's own method leaves the options out, and with them the internal name.
            body = {"parameters": {"SchemaXml": xml, "Options": _KEEP_NAME}}
            self._client.post(f"{list_path(str(survey.list_id))}/fields/CreateFieldAsXml", body)
            field_: Field = self._list(survey).fields.get_by_internal_name_or_title(column.name)
            if column.display != column.name:
                field_.set_property("Title", column.display).update()
                self._client.library(self._client.context.execute_query)

        return act

    def _indexer(self, survey: _Survey, column: ColumnDefinition) -> Callable[[], None]:
        def act() -> None:
            field_: Field = self._list(survey).fields.get_by_internal_name_or_title(column.name)
            field_.set_property("Indexed", True)
            if column.unique:
                field_.set_property("EnforceUniqueValues", True)
            field_.update()
            self._client.library(self._client.context.execute_query)

        return act

    def _viewer(self, survey: _Survey, view: ViewDefinition) -> Callable[[], None]:
        def act() -> None:
            names = ["LinkTitle" if name == "Title" else name for name in view.columns]
            info = ViewCreationInformation(
                Title=view.title,
                ViewFields=StringCollection(names),
                RowLimit=_ROW_LIMIT,
                Query=_query(view, survey.definition),
                PersonalView=False,
                Paged=True,
            )
            self._list(survey).views.add(info)
            self._client.library(self._client.context.execute_query)

        return act

    def _lookup_id(self, column: ColumnDefinition) -> str | None:
        return self._surveys[column.lookup_list].list_id if column.lookup_list else None


def _lacks(column: ColumnDefinition, there: Mapping[str, Any]) -> bool:
    return (column.indexed and not there.get("Indexed")) or (column.unique and not there.get("EnforceUniqueValues"))


def _marks(column: ColumnDefinition) -> str:
    return ", unique" if column.unique else ", indexed" if column.indexed else ""


def _schema(column: ColumnDefinition, lookup_id: str | None) -> str:
    attributes: dict[str, Any] = {
        "Type": _TYPES.get(column.type, column.type),
        "Name": column.name,
        "StaticName": column.name,
        "DisplayName": column.name,
        "Description": column.description or None,
        "MaxLength": column.max_length,
        "Decimals": column.decimals,
        "LCID": _DANISH if column.type == "Currency" else None,
        "Format": {"Date": "DateOnly", "DateTime": "DateTime", "Choice": "Dropdown", "URL": "Hyperlink"}.get(
            column.type
        ),
        "RichText": "FALSE" if column.type == "Note" else None,
        "List": f"{{{lookup_id}}}" if lookup_id else None,
        "ShowField": "Title" if lookup_id else None,
        "Indexed": "TRUE" if column.indexed or column.unique else None,
        "EnforceUniqueValues": "TRUE" if column.unique else None,
    }
    head = " ".join(f"{name}={quoteattr(str(value))}" for name, value in attributes.items() if value is not None)
    choices = "".join(f"<CHOICE>{escape(choice)}</CHOICE>" for choice in column.choices)
    inner = f"<CHOICES>{choices}</CHOICES>" if choices else ""
    inner += f"<Default>{escape(column.default)}</Default>" if column.default is not None else ""
    return f"<Field {head}>{inner}</Field>"


def _query(view: ViewDefinition, definition: ListDefinition) -> str:
    types = {column.name: _TYPES.get(column.type, column.type) for column in definition.columns}
    where = f"<Where>{_condition(view.where, types)}</Where>" if view.where else ""
    order = "".join(
        f'<FieldRef Name="{one.column}"{" Ascending=" + chr(34) + "FALSE" + chr(34) if one.descending else ""}/>'
        for one in view.order_by
    )
    return where + (f"<OrderBy>{order}</OrderBy>" if order else "")


def _condition(where: Where, types: Mapping[str, str]) -> str:
    operator, value = ("Eq", where.equals) if where.equals is not None else ("Neq", where.not_equals or "")
    value_xml = f'<Value Type="{types[where.column]}">{escape(str(value))}</Value>'
    return f'<{operator}><FieldRef Name="{where.column}"/>{value_xml}</{operator}>'
