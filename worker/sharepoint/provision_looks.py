"""Descriptions, column formatting and form layout: what is missing, and what an earlier version of the worker wrote.

Whatever people changed stays, unless a reset is asked for. What they took away stays away too, which needs a witness,
since nothing looks like never: a column's description and its formatting are written in one change, so where the
description stands and the formatting does not, somebody removed it. For a form any such column of its list will do.
Links stay too where no address is given: whoever provisions need not know it. A reset without one takes them out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from worker.domain.values import ColumnKind
from worker.sharepoint.definitions import ColumnDefinition, Filler, ViewDefinition
from worker.sharepoint.formatting import LANGUAGES, Language, Looks, Place, link_in
from worker.sharepoint.formatting_marks import Origin, origin_of, same_value
from worker.sharepoint.provision_parts import Changes, Dress, Found, Step
from worker.sharepoint.site import SharePointSite
from worker.sharepoint.views import ViewInfo

_FOLDER = "0x0120"  # the content type of folders, which every list has beside its own
_NUMBERS = frozenset({ColumnKind.NUMBER, ColumnKind.CURRENCY})
_FILLED: Mapping[Filler, str] = {"erp": "filled from e-conomic", "worker": "written by the worker"}


@dataclass
class Dresser:
    """Plans and makes how one site's lists look. `looks` None: nothing is dressed."""

    site: SharePointSite
    changes: Changes
    looks: Looks | None
    language: Language
    link: tuple[str, str] | None
    reset: bool

    def text(
        self, found: Found, name: str | None, language: Language | None = None, *, present: str = ""
    ) -> str | None:
        """The text of a formatter for this list, in the place of `present`; None when it has none, or needs an address
        that is not given."""
        if self.looks is None or name is None:
            return None
        titles = {column.name: self._title(found, column) for column in found.definition.columns}
        place = Place(found.internal(), titles, self._link_beside(present))
        return self.looks.text(name, place, language or self.language)

    def _link_beside(self, present: str) -> tuple[str, str] | None:
        """The address to link to; without one, that of what we wrote there before."""
        keeps = self.link is None and not self.reset and origin_of(present) is Origin.OURS
        return link_in(present) if keeps else self.link

    def steps(self, found: Found, kept: list[str]) -> Iterator[Step]:
        """Form, column formatting, descriptions; what people changed goes to `kept`."""
        if self.looks is not None:
            yield from self._form_steps(found, kept)
            for column in found.definition.columns:
                yield from self._column_steps(found, column, kept)
            yield from self._description_steps(found)

    def view_steps(
        self, found: Found, view: ViewDefinition, there: ViewInfo, where: str, kept: list[str], *, was_there: bool
    ) -> Iterator[Step]:
        """Formatting of a view that is there; `where` is the view in words."""
        where = f"formatting of {where}"
        verb = self._verb(found, view.formatter, there.formatter, where, kept, was_there=was_there)
        if verb:
            change = {"CustomFormatter": self.text(found, view.formatter, present=there.formatter)}
            path = there.path(found.path)
            yield Step(f"{verb} {where} ({view.formatter})", lambda: self.changes.merge(path, change))

    # --- columns

    def _column_steps(self, found: Found, column: ColumnDefinition, kept: list[str]) -> Iterator[Step]:
        there = found.there(column)
        if there and not ({there.kind, column.type} <= _NUMBERS or there.kind is column.type):
            return  # money formatting on a text column would show nonsense
        present = self._dress(found, column)
        where = f"formatting of column {column.name} in '{found.definition.title}'"
        was_there = self._ours(present.description, column.filled)
        verb = self._verb(found, column.formatter, present.formatter, where, kept, was_there=was_there)
        if verb:
            text = self.text(found, column.formatter, present=present.formatter)
            yield Step(
                f"{verb} {where} ({column.formatter})",
                lambda: self.changes.merge(self._path(found, column), {"CustomFormatter": text}),
            )

    def _description_steps(self, found: Found) -> Iterator[Step]:
        """Only where none is: a description somebody wrote is theirs."""
        for filler, words in _FILLED.items():
            bare = [
                column
                for column in found.definition.columns
                if column.filled == filler and not self._dress(found, column).description
            ]
            if bare:
                names = ", ".join(column.name for column in bare)
                text = f"describe as {words}, in '{found.definition.title}': {names}"
                yield Step(text, lambda bare=bare, filler=filler: self._describe(found, bare, filler))  # type: ignore[misc]

    def _describe(self, found: Found, columns: list[ColumnDefinition], filler: Filler) -> None:
        if self.looks is not None:
            text = getattr(self.looks.descriptions[filler], self.language)
            for column in columns:
                self.changes.merge(self._path(found, column), {"Description": text})

    def _ours(self, description: str, filler: Filler | None) -> bool:
        words = self.looks.descriptions.get(filler) if self.looks and filler else None
        return words is not None and description in (words.en, words.da)

    @staticmethod
    def _dress(found: Found, column: ColumnDefinition) -> Dress:
        there = found.there(column)
        return found.dress.get(there.internal, Dress()) if there else Dress()

    @staticmethod
    def _path(found: Found, column: ColumnDefinition) -> str:
        there = found.there(column)
        return f"{found.path}/fields/getbyinternalnameortitle('{there.internal if there else column.name}')"

    # --- forms

    def _form_steps(self, found: Found, kept: list[str]) -> Iterator[Step]:
        name = found.definition.form
        if self.looks is None or name is None:
            return
        where = f"form of '{found.definition.title}'"
        sections = ", ".join(self.looks.formatters[name].sections(self.language))
        if found.info is None:
            yield Step(f"set layout of the {where} ({sections})", lambda: self._make_form(found, name))
            return
        dressed = any(
            self._ours(self._dress(found, column).description, column.filled)
            for column in found.definition.columns
            if column.formatter
        )
        for content_type, present in found.form.items():
            verb = self._verb(found, name, present, f"layout of the {where}", kept, was_there=dressed)
            if verb:
                text = self.text(found, name, present=present)
                path = f"{found.path}/contenttypes('{content_type}')"
                yield Step(
                    f"{verb} layout of the {where} ({sections})",
                    lambda path=path, text=text: self.changes.merge(path, {"ClientFormCustomFormatter": text}),  # type: ignore[misc]
                )

    def _make_form(self, found: Found, name: str) -> None:
        """A list that was just made: only now it has content types, and a title column with a title."""
        found.fields = self.site.lists.fields(found.made)
        text = self.text(found, name)
        for content_type in forms_of(self.site, found.path):
            self.changes.merge(f"{found.path}/contenttypes('{content_type}')", {"ClientFormCustomFormatter": text})

    def _title(self, found: Found, column: ColumnDefinition) -> str:
        there = found.there(column)
        return there.title if there else column.title(self.language)

    # --- whose it is

    def _verb(
        self, found: Found, name: str | None, present: str, what: str, kept: list[str], *, was_there: bool
    ) -> str | None:
        """What to do about a formatter: "set", "update", "put back", or nothing (None)."""
        if self.text(found, name, present=present) is None:
            return None
        origin = origin_of(present)
        if origin is Origin.OURS:
            texts = [self.text(found, name, language, present=present) for language in LANGUAGES]
            return None if any(same_value(text, present) for text in texts) else "update"
        if origin is Origin.NOBODY and not was_there:
            return "set"
        if self.reset:
            return "put back"
        kept.append(f"{what} was {'removed' if origin is Origin.NOBODY else 'changed'} by hand")
        return None


def forms_of(site: SharePointSite, path: str) -> dict[str, str]:
    """Content types of the list at `path`, but for folders, with the text of their form formatter."""
    params = {"$select": "StringId,Name,ClientFormCustomFormatter"}
    rows = [row for page in site.client.pages(f"{path}/contenttypes", params) for row in page]
    texts = {str(row["StringId"]): str(row.get("ClientFormCustomFormatter") or "") for row in rows}
    return {key: text for key, text in texts.items() if not key.lower().startswith(_FOLDER)}
