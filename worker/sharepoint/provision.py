"""Provisioning: lists, columns, indexes, views and looks that are missing. Idempotent; nothing is dropped or renamed.

Order and form follow what SharePoint needs: a list is made under an ASCII title, which fixes its address, and gets its
own title afterwards; columns come one after another (side by side they conflict) with their internal name kept; indexes
while the list is small. On a list that people own already, a column counts as there under any name binding would find.
Views and looks have their own rooms beside this one: what people changed in them stays.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from office365.sharepoint.fields.field import Field
from office365.sharepoint.lists.creation_information import ListCreationInformation
from office365.sharepoint.lists.list import List
from office365.sharepoint.lists.templates.type import ListTemplateType

from worker.domain.values import ColumnKind
from worker.errors import ConfigError, Problem
from worker.sharepoint.definitions import MAX_INDEXES, ColumnDefinition, Definitions, ListDefinition, ListKey
from worker.sharepoint.field_xml import field_xml
from worker.sharepoint.formatting import Language, Looks, economy_link
from worker.sharepoint.provision_looks import Dresser, forms_of
from worker.sharepoint.provision_parts import Changes, Dress, Found, ProvisionPlan, Step
from worker.sharepoint.provision_views import ViewMaker
from worker.sharepoint.site import SharePointSite
from worker.sharepoint.site_lists import FieldInfo, ListInfo, field_info
from worker.sharepoint.views import VIEW_PROPERTIES, view_info

__all__ = ["ProvisionPlan", "Provisioner", "Step", "as_json"]

_KEEP_NAME = 8  # AddFieldInternalNameHint: the XML's Name becomes the internal name
# Above this number of items SharePoint refuses to add an index.
_INDEX_LIMIT = 20_000
_HINT = "Put these right in SharePoint; provisioning never changes what is there."


class Provisioner:
    """Plans and makes what the definitions ask for. `language` of the titles and words of what is made."""

    def __init__(
        self, site: SharePointSite, definitions: Definitions, language: Language = "en", looks: Looks | None = None
    ) -> None:
        self._site = site
        self._definitions = definitions
        self._language: Language = language
        self._looks = looks
        self._changes = Changes(site.client)
        self._found: dict[ListKey, Found] = {}

    def plan(self, *, economy_url: str | None = None, reset_formatting: bool = False) -> ProvisionPlan:
        """Looks at the site and says what is missing. Writes nothing.

        `economy_url` is where a company's economy card is, with `{customer}` for its number (or the number at the end);
        without it links are neither made nor taken away. `reset_formatting` also puts back views, formatting and forms
        that people changed or took away. Raises ConfigError for an address that can't stand in a list.
        """
        dresser = Dresser(
            self._site, self._changes, self._looks, self._language, economy_link(economy_url), reset_formatting
        )
        views = ViewMaker(self._changes, dresser, self._language, reset_formatting)
        self._site.forget()
        self._found = {key: self._look(key, definition) for key, definition in self._definitions.items()}
        steps: list[Step] = []
        problems: list[Problem] = []
        kept: list[str] = []
        for found in self._found.values():
            steps += [*self._list_steps(found), *self._column_steps(found, problems), *views.steps(found, kept)]
        for found in self._found.values():
            steps += dresser.steps(found, kept)
        return ProvisionPlan(tuple(steps), tuple(problems), tuple(kept))

    def apply(self, plan: ProvisionPlan, told: Callable[[str], None] = lambda _text: None) -> None:
        """Does the steps in order, telling each before it is done; looks are sent together at the end. Raises
        ConfigError for problems before anything."""
        if plan.problems:
            raise ConfigError(plan.problems, hint=_HINT)
        for step in plan.steps:
            told(step.text)
            step.act()
        self._changes.send()
        self._site.forget()

    def _look(self, key: ListKey, definition: ListDefinition) -> Found:
        info, names = self._site.find_list(key), self._site.names_for(key)
        if info is None:
            return Found(definition, names)
        client = self._site.client
        rows = [row for page in client.pages(f"{info.path}/fields") for row in page]
        views = [row for page in client.pages(f"{info.path}/views", {"$select": VIEW_PROPERTIES}) for row in page]
        return Found(
            definition,
            names,
            info,
            [field_info(row) for row in rows],
            {str(row["InternalName"]): _dress(row) for row in rows},
            tuple(view_info(row) for row in views),
            forms_of(self._site, info.path) if definition.form and self._looks else {},
        )

    # --- what is missing

    def _list_steps(self, found: Found) -> Iterator[Step]:
        definition = found.definition
        if found.info is None:
            yield Step(f"create list '{definition.name(self._language)}'", lambda: self._make_list(found))
            return
        if found.info.title == definition.url and definition.url not in definition.titles():
            # The title it was made under: provisioning was interrupted before the list got its own. Where that is a
            # title in some language too, the list may well be somebody's, and keeps it.
            yield Step(f"give list '{found.info.title}' its title", lambda: self._finish_list(found))
        elif definition.owner == "worker" and found.info.versioning:
            yield Step(f"switch versions off in list '{found.info.title}'", lambda: self._finish_list(found))

    def _column_steps(self, found: Found, problems: list[Problem]) -> Iterator[Step]:
        indexes = sum(one.indexed for one in found.fields)
        for column in found.definition.columns:
            there = found.there(column)
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
        self, found: Found, column: ColumnDefinition, there: FieldInfo | None, problems: list[Problem]
    ) -> Iterator[Step]:
        where = f"list {found.definition.title}, column {column.name}"
        if found.info is not None and found.info.item_count > _INDEX_LIMIT:
            text = f"must be indexed, which SharePoint refuses at {found.info.item_count} items."
            problems.append(Problem(where, text))
            return
        name = there.internal if there else column.name
        text = f"index column {name}{', unique' if column.unique else ''} in '{found.definition.title}'"
        yield Step(text, lambda: self._index(found, name, unique=column.unique))

    # --- making it

    def _make_list(self, found: Found) -> None:
        definition, context = found.definition, self._site.client.context
        made = context.web.lists.add(ListCreationInformation(definition.url, None, ListTemplateType.GenericList))
        context.execute_query()
        self._site.forget()
        found.info = ListInfo(str(made.id).casefold(), definition.url, "", 0)
        self._finish_list(found)

    def _finish_list(self, found: Found) -> None:
        definition, one = found.definition, self._list(found)
        if found.made.title == definition.url:
            one.set_property("Title", definition.name(self._language))
        if definition.owner == "worker":
            # Each nightly change would keep another full version of the item.
            one.set_property("EnableVersioning", False)
        one.update()
        self._site.client.context.execute_query()

    def _make_column(self, found: Found, column: ColumnDefinition) -> None:
        xml = field_xml(column, column.title(self._language), self._lookup_guid(column))
        # The library's own method leaves the options out, and with them the internal name.
        body = {"parameters": {"SchemaXml": xml, "Options": _KEEP_NAME}}
        self._site.client.post(f"{found.path}/fields/CreateFieldAsXml", body)

    def _index(self, found: Found, name: str, *, unique: bool) -> None:
        column: Field = self._list(found).fields.get_by_internal_name_or_title(name)
        column.set_property("Indexed", True)
        if unique:
            column.set_property("EnforceUniqueValues", True)
        column.update()
        self._site.client.context.execute_query()

    def _lookup_guid(self, column: ColumnDefinition) -> str | None:
        info = self._found[column.lookup].info if column.lookup else None
        return info.guid if info else None

    def _list(self, found: Found) -> List:
        return self._site.client.context.web.lists.get_by_id(found.made.guid)


def _dress(row: Mapping[str, Any]) -> Dress:
    return Dress(str(row.get("Description") or ""), str(row.get("CustomFormatter") or ""))


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
    return {
        "steps": [step.text for step in plan.steps],
        "problems": [str(problem) for problem in plan.problems],
        "kept": list(plan.kept),
    }
