"""Read-only pages for a browser: the lists, a list by view with sorting, grouping, paging and the look its formatting
gives it, and an item in its form's sections with its versions."""

from __future__ import annotations

from functools import partial
from itertools import groupby
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from worker.emulators.common.middleware import note_of
from worker.emulators.sharepoint import caml, cells, html
from worker.emulators.sharepoint.calls import Site
from worker.emulators.sharepoint.errors import ODataError
from worker.emulators.sharepoint.format_values import lookup_text
from worker.emulators.sharepoint.html import Markup, element, link
from worker.emulators.sharepoint.looks import Looks, form_header, form_sections, guarded
from worker.emulators.sharepoint.models import Item, SPField, SPList, SPView
from worker.emulators.sharepoint.people import user_title
from worker.emulators.sharepoint.querying import Order, Page, Query, parse_token, read_page

PAGE_ROWS = 50
# A grouped view is one page: groups would otherwise be torn apart. SharePoint loads them one after another.
GROUPED_ROWS = 500
_SHOWN_SYSTEM = ("ID", "Created", "Author", "Modified", "Editor")


def routes(site: Site) -> list[Route]:
    """The pages' routes. They are not counted: a person looking is no caller."""
    pages = _Pages(site)
    root = site.options.site_path

    async def home(request: Request) -> Response:
        note_of(request.scope).counted = False
        return RedirectResponse(root)

    return [
        Route("/", home),
        Route(root, pages.lists),
        Route(f"{root}/", pages.lists),
        Route(f"{root}/Lists/{{name}}", pages.list_items),
        Route(f"{root}/Lists/{{name}}/AllItems.aspx", pages.list_items),
        Route(f"{root}/Lists/{{name}}/{{item:int}}", pages.item),
        Route(f"{root}/Lists/{{name}}/DispForm.aspx", pages.item),  # the address of a list's display form, by ID
    ]


class _Pages:
    """The pages of one site."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._root = site.options.site_path

    def _answer(
        self, title: str, trail: list[tuple[str, str]], body: Markup, status: int = 200, *, headline: bool = True
    ) -> HTMLResponse:
        crumbs = [(self._site.options.web_title, self._root), *trail]
        return HTMLResponse(html.document(title, crumbs, body, headline=headline), status)

    def _missing(self) -> HTMLResponse:
        text = element("p", "There is nothing here. It may have been deleted.", class_="empty")
        return self._answer("Not found", [], text, 404)

    async def lists(self, request: Request) -> Response:
        """Every list with its number of items and last change."""
        note_of(request.scope).counted = False
        with self._site.store.lock:
            rows = [self._list_row(one) for one in self._site.store.lists()]
        if not rows:
            empty = element("p", "This site has no lists yet. Provisioning makes them.", class_="empty")
            return self._answer("Lists", [], empty)
        heads = [("Name", ""), ("Items", "number"), ("Columns", "number"), ("Last modified", "")]
        return self._answer("Lists", [], html.table([element("th", h, class_=c) for h, c in heads], rows))

    def _list_row(self, one: SPList) -> list[Markup]:
        custom = sum(1 for field in one.fields if not field.builtin) + 1
        return [
            element("td", link(one.title, self._list_url(one)), class_="title"),
            element("td", f"{one.item_count:,}".replace(",", "."), class_="number"),
            element("td", str(custom), class_="number"),
            element("td", cells.local_time(one.modified, self._site)),
        ]

    def _list_url(self, one: SPList, **query: str) -> str:
        path = f"{self._root}/Lists/{html.url_part(one.url_name)}"
        return f"{path}?{urlencode(query)}" if query else path

    # --- a list

    async def list_items(self, request: Request) -> Response:
        """Items of a list through one of its views."""
        note_of(request.scope).counted = False
        with self._site.store.lock:
            one = self._site.store.list_by_url_name(request.path_params["name"])
            return self._missing() if one is None else self._list_page(one, dict(request.query_params))

    def _list_page(self, one: SPList, query: dict[str, str]) -> Response:
        view = self._view(one, query.get("view"))
        trail = [(one.title, self._list_url(one))]
        tabs = self._tabs(one, view)
        try:
            parsed = caml.parse_view(one, view.query, self._site.rules) if view.query else caml.Caml()
            page = self._read(one, parsed, query)
        except ODataError as error:
            refused = element("p", f"SharePoint would refuse this view: {error.text}", class_="empty")
            return self._answer(one.title, trail, html.join(tabs, refused))
        columns = _columns(one, view)
        looks = Looks(self._site, view, columns)
        heads = [self._head(one, view, column, query) for column in columns]
        rows = self._rows(one, looks, page.items, parsed.group)
        count = element("p", f"{one.item_count:,} items".replace(",", "."), class_="count")
        table = (
            html.table(heads, rows, class_="list") if rows else element("p", "No items in this view.", class_="empty")
        )
        return self._answer(one.title, trail, html.join(tabs, count, table, self._pager(one, query, page)))

    def _view(self, one: SPList, wanted: str | None) -> SPView:
        named = [view for view in one.views if wanted and wanted.lower() in (view.id, view.title.lower())]
        found = named[0] if named else one.default_view()
        return found or SPView("All Items", ["LinkTitle"], default=True)

    def _tabs(self, one: SPList, current: SPView) -> Markup:
        links = [
            link(view.title, self._list_url(one, view=view.id), class_="on" if view is current else "")
            for view in one.views
            if not view.hidden
        ]
        return element("nav", html.join(*links), class_="views")

    def _read(self, one: SPList, parsed: caml.Caml, query: dict[str, str]) -> Page:
        order, column = parsed.order, one.field_by_internal(query.get("sort", ""))
        if column is not None:
            order = [Order(column, query.get("dir") == "desc")]
        after = parse_token(query["after"]) if query.get("after") else None
        rows = GROUPED_ROWS if parsed.group else PAGE_ROWS
        return read_page(one, Query(rows, parsed.where, order, after), self._site.rules)

    def _head(self, one: SPList, view: SPView, column: SPField, query: dict[str, str]) -> Markup:
        on = query.get("sort") == column.internal
        down = on and query.get("dir") != "desc"
        mark = "" if not on else (" ▲" if down else " ▼")
        about = str(column.extra.get("Description") or "")
        if column.type in cells.UNSORTABLE:
            return element("th", column.title, class_=cells.css(column), tip=about)
        query = {"view": view.id, "sort": column.internal, "dir": "desc" if down else "asc"}
        target = self._list_url(one, **query)
        return element("th", link(column.title + mark, target), class_=cells.css(column), tip=about)

    def _rows(self, one: SPList, looks: Looks, items: list[Item], group: Order | None) -> list[Markup]:
        """The rows, under the headers of their groups where the view has any."""
        if group is None:
            return [self._row(one, looks, item, index) for index, item in enumerate(items)]
        column, rows = group.field, []
        title = partial(self._group_title, column)
        for _, members in groupby(sorted(items, key=title, reverse=group.descending), title):
            some = list(members)
            header = looks.group(column, cells.value_of(column, some[0]), len(some))
            span = Markup(f'<th colspan="{len(looks.columns)}">{header}</th>')
            rows += [html.row([span], class_="group"), *(self._row(one, looks, item) for item in some)]
        return rows

    def _group_title(self, column: SPField, item: Item) -> str:
        value = cells.value_of(column, item)
        if column.type == "Lookup" and value:
            return lookup_text(column, value, self._site).casefold()
        return "" if value is None else str(value).casefold()

    def _row(self, one: SPList, looks: Looks, item: Item, index: int = 0) -> Markup:
        row, seen = [], looks.row(item, index)
        for position, column in enumerate(looks.columns):
            plain = cells.cell(column, item, self._site, self._root)
            shown = guarded(lambda column=column, plain=plain: looks.cell(column, seen) or plain, plain)  # type: ignore[misc]
            if position == 0 and "<a " not in shown:
                text = shown if shown else html.Markup(f"#{item.id}")
                row.append(element("td", link(text, f"{self._list_url(one)}/{item.id}"), class_="title"))
            else:
                row.append(element("td", shown, class_=cells.css(column)))
        return html.row(row, class_=looks.row_class(seen))

    def _pager(self, one: SPList, query: dict[str, str], page: Page) -> Markup:
        kept = {name: value for name, value in query.items() if name in ("view", "sort", "dir")}
        links = []
        if query.get("after"):
            links.append(link("« First page", self._list_url(one, **kept), class_="button"))
        if page.next_token is not None:
            target = self._list_url(one, **kept, after=page.next_token)
            links.append(link("Next page ›", target, class_="button"))
        return element("p", html.join(*links), class_="pager")

    # --- an item

    async def item(self, request: Request) -> Response:
        """All values of an item, and its versions."""
        note_of(request.scope).counted = False
        store = self._site.store
        with store.lock:
            one = store.list_by_url_name(request.path_params["name"])
            item = None if one is None else store.get_item(one, _item_id(request))
            return self._missing() if one is None or item is None else self._item_page(one, item)

    def _item_page(self, one: SPList, item: Item) -> Response:
        title = str(item.doc.get("Title") or f"Item {item.id}")
        columns = [field for field in one.fields if field.internal == "Title" or not field.builtin]
        header = form_header(one, item, self._site)
        parts = [element("div", header, class_="form")] if header else []
        for section in form_sections(one, columns):
            parts += [element("h2", section.title)] if section.title else []
            parts.append(self._fields(section.columns, item))
        system = [field for name in _SHOWN_SYSTEM if (field := one.field_by_internal(name))]
        version = ("Version", "", html.join(f"{item.version_label} (etag {item.etag})"))
        parts += [element("h2", "Item"), self._fields(system, item, version), self._versions(one, item)]
        trail = [(one.title, self._list_url(one)), (title, f"{self._list_url(one)}/{item.id}")]
        return self._answer(title, trail, html.join(*parts), headline=not header)

    def _fields(self, columns: list[SPField], item: Item, *more: tuple[str, str, Markup]) -> Markup:
        values = [
            (
                one.title,
                str(one.extra.get("Description") or ""),
                cells.cell(one, item, self._site, self._root, whole=True),
            )
            for one in columns
        ]
        return html.fields([*values, *more])

    def _versions(self, one: SPList, item: Item) -> Markup:
        """What each kept version changed against the one before."""
        kept = self._site.store.versions(one, item.id)
        if not kept:
            return element("p", "This list keeps no versions.", class_="count")
        rows = []
        for (number, modified, editor, doc), older in zip(kept, [*kept[1:], None], strict=True):
            before = older[3] if older else {}
            then = Item(**{**vars(item), "doc": doc})
            changed = [field for field in one.fields if doc.get(field.internal) != before.get(field.internal)]
            parts = [
                element("span", html.join(f"{field.title}: ", cells.cell(field, then, self._site, self._root)))
                for field in changed
            ]
            rows.append(
                [
                    element("td", f"{number}.0"),
                    element("td", cells.local_time(modified, self._site)),
                    element("td", user_title(editor)),
                    element("td", html.join(*parts), class_="changes"),
                ]
            )
        heads = [element("th", text) for text in ("Version", "Modified", "By", "Values")]
        return html.join(element("h2", "Versions"), html.table(heads, rows))


def _columns(one: SPList, view: SPView) -> list[SPField]:
    """The view's columns that can be shown; the title stands for its link forms."""
    names = ["Title" if name in ("LinkTitle", "LinkTitleNoMenu") else name for name in view.fields]
    found = [one.field_by_internal(name) for name in dict.fromkeys(names)]
    shown = [field for field in found if field is not None and field.type not in ("Computed", "Attachments")]
    title = one.field_by_internal("Title")
    return shown or ([title] if title else [])


def _item_id(request: Request) -> int:
    """From the path, or a form's ID; 0, which no item has, for anything else."""
    asked = request.query_params.get("ID", "")
    named = int(asked) if asked.isascii() and asked.isdecimal() and len(asked) < 10 else 0
    found: int = request.path_params.get("item", named)
    return found
