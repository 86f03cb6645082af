"""Views that are missing, or that stand as an earlier version of the worker made them.

A view is people's as soon as it shows anything else than some version of the worker made it show.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from office365.runtime.types.collections import StringCollection
from office365.sharepoint.views.create_information import ViewCreationInformation

from worker.sharepoint.definitions import ViewDefinition, ViewShape
from worker.sharepoint.formatting import Language
from worker.sharepoint.provision_looks import Dresser
from worker.sharepoint.provision_parts import Changes, Found, Step
from worker.sharepoint.views import ViewInfo

_BUILT_IN = {"Title": "LinkTitle"}  # the title as a link to the item


@dataclass
class ViewMaker:
    """Plans and makes the views of a list. `reset`: also where people changed them."""

    changes: Changes
    dresser: Dresser
    language: Language
    reset: bool

    def steps(self, found: Found, kept: list[str]) -> Iterator[Step]:
        """What is to be done; what people changed goes to `kept`."""
        for view in found.definition.views:
            there = next((one for one in found.views if one.title in (view.title, view.danish)), None)
            where = f"view '{there.title if there else view.name(self.language)}' in '{found.definition.title}'"
            if there is None:
                # Someone else's list keeps the view it opens with.
                default = view.default and found.info is None
                yield Step(f"create {where}", lambda view=view, default=default: self._make(found, view, default))  # type: ignore[misc]
            else:
                yield from self._changed(found, view, there, where, kept)

    def _changed(
        self, found: Found, view: ViewDefinition, there: ViewInfo, where: str, kept: list[str]
    ) -> Iterator[Step]:
        ours = any(there.shows(*_real(found, shape)) for shape in view.earlier)
        if not there.shows(*_real(found, view)):
            if ours or self.reset:
                yield Step(f"{'update' if ours else 'put back'} {where}", lambda: self._show(found, view, there))
            else:
                kept.append(f"{where} was changed by hand")
        # A view is made with its formatting, so one of the present shape that has none lost it to somebody.
        yield from self.dresser.view_steps(found, view, there, where, kept, was_there=not ours)

    def _show(self, found: Found, view: ViewDefinition, there: ViewInfo) -> None:
        columns, query = _real(found, view)
        path = there.path(found.path)
        self.changes.merge(path, {"ViewQuery": query})
        self.changes.post(f"{path}/viewfields/removeallviewfields")
        for name in columns:
            self.changes.post(f"{path}/viewfields/addviewfield('{name}')")

    def _make(self, found: Found, view: ViewDefinition, default: bool) -> None:
        context = self.changes.client.context
        columns, query = _real(found, view)
        information = ViewCreationInformation(
            Title=view.name(self.language),
            ViewFields=StringCollection(list(columns)),
            RowLimit=view.row_limit,
            Query=query,
            PersonalView=False,
            Paged=True,
            SetAsDefaultView=default,
            CustomFormatter=self.dresser.text(found, view.formatter),
        )
        context.web.lists.get_by_id(found.made.guid).views.add(information)
        context.execute_query()


def _real(found: Found, shape: ViewShape) -> tuple[tuple[str, ...], str]:
    """Columns and query with real internal names."""
    internal = found.internal()
    columns = tuple(_BUILT_IN.get(name, internal.get(name, name)) for name in shape.columns)
    return columns, shape.query_with(internal)
