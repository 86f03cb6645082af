"""Just enough HTML: text is escaped unless it is Markup already. A template engine would be one dependency more."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from urllib.parse import quote

from worker.emulators.sharepoint.format_css import CSS as FORMAT_CSS

CSS = """
:root { color-scheme: light dark; --ink: #201f1e; --soft: #605e5c; --line: #e1dfdd; --page: #faf9f8; --card: #fff;
  --brand: #03787c; --hover: #f3f2f1; --pill: #e8f4f4; }
@media (prefers-color-scheme: dark) { :root { --ink: #f3f2f1; --soft: #a8a6a4; --line: #3b3a39; --page: #1b1a19;
  --card: #252423; --brand: #4cc2c6; --hover: #2f2e2d; --pill: #1f3f40; } }
* { box-sizing: border-box; }
body { margin: 0; font: 14px/1.45 "Segoe UI", system-ui, -apple-system, Roboto, "Helvetica Neue", sans-serif;
  color: var(--ink); background: var(--page); }
header { background: var(--card); border-bottom: 1px solid var(--line); padding: 14px 28px; }
header .site { display: flex; gap: 12px; align-items: center; }
header .logo { width: 34px; height: 34px; border-radius: 4px; background: var(--brand); color: var(--card);
  display: grid; place-items: center; font-weight: 600; }
header nav a { color: var(--soft); text-decoration: none; }
header nav a:hover { text-decoration: underline; }
header nav span { color: var(--soft); padding: 0 6px; }
main { padding: 20px 28px 48px; }
h1 { font-size: 22px; font-weight: 600; margin: 4px 0 14px; }
h2 { font-size: 16px; font-weight: 600; margin: 28px 0 8px; }
a { color: var(--brand); text-decoration: none; }
a:hover { text-decoration: underline; }
.views { display: flex; gap: 4px; flex-wrap: wrap; margin-bottom: 8px; }
.views a { padding: 5px 12px; border-radius: 4px; color: var(--soft); }
.views a.on { background: var(--pill); color: var(--ink); font-weight: 600; }
.scroll { overflow-x: auto; background: var(--card); border: 1px solid var(--line); border-radius: 6px; }
table { border-collapse: collapse; width: 100%; }
th { text-align: left; font-weight: 600; color: var(--soft); white-space: nowrap; }
th a { color: inherit; }
th, td { padding: 8px 12px; border-bottom: 1px solid var(--line); vertical-align: top; }
tbody tr:last-child > * { border-bottom: 0; }
tbody tr:hover { background: var(--hover); }
.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
td.title { font-weight: 600; }
.list td { white-space: nowrap; max-width: 300px; overflow: hidden; text-overflow: ellipsis; vertical-align: middle; }
.list td.note { white-space: normal; min-width: 280px; }
.fields { display: grid; grid-template-columns: repeat(auto-fill, minmax(270px, 1fr)); gap: 14px 24px; margin: 0;
  background: var(--card); border: 1px solid var(--line); border-radius: 6px; padding: 16px; }
.fields dt { color: var(--soft); font-size: 12px; }
.fields dd { margin: 2px 0 0; white-space: pre-wrap; overflow-wrap: anywhere; min-height: 20px; }
.group th { background: var(--page); color: var(--ink); padding: 10px 12px; max-width: 0; overflow: hidden; }
.form { margin: -4px 0 14px; }
.changes span { display: inline-block; margin-right: 14px; }
.pill { background: var(--pill); border-radius: 12px; padding: 1px 10px; margin-right: 4px; white-space: nowrap; }
.count, .empty { color: var(--soft); margin: 4px 0 10px; }
.empty { padding: 32px; text-align: center; background: var(--card); border: 1px dashed var(--line); }
.pager { display: flex; gap: 8px; }
.button { border: 1px solid var(--line); background: var(--card); border-radius: 4px; padding: 5px 14px; }
footer { color: var(--soft); padding: 0 28px 24px; font-size: 12px; }
"""


class Markup(str):
    """Text that is HTML already."""

    __slots__ = ()


def join(*parts: str | Markup) -> Markup:
    """The parts one after another, plain text escaped."""
    return Markup("".join(part if isinstance(part, Markup) else escape(part) for part in parts))


def element(name: str, content: str | Markup, *, class_: str = "", tip: str = "") -> Markup:
    """An element; `tip` shows when a pointer rests on it."""
    attribute = f' class="{escape(class_)}"' if class_ else ""
    attribute += f' title="{escape(tip)}"' if tip else ""
    return Markup(f"<{name}{attribute}>{join(content)}</{name}>")


def link(text: str | Markup, target: str, *, class_: str = "") -> Markup:
    attribute = f' class="{escape(class_)}"' if class_ else ""
    return Markup(f'<a href="{escape(target)}"{attribute}>{join(text)}</a>')


def url_part(text: str) -> str:
    return quote(text, safe="")


def row(parts: Sequence[Markup], *, class_: str = "") -> Markup:
    """A whole row of a table, with classes."""
    return element("tr", join(*parts), class_=class_)


def table(heads: Sequence[Markup], rows: Sequence[Sequence[Markup] | Markup], *, class_: str = "") -> Markup:
    """A table; `heads` and `rows` hold whole `th` and `td` elements, or a row is Markup already."""
    top = f"<thead><tr>{''.join(heads)}</tr></thead>" if heads else ""
    body = "".join(one if isinstance(one, Markup) else row(one) for one in rows)
    attribute = f' class="{escape(class_)}"' if class_ else ""
    return Markup(f'<div class="scroll"><table{attribute}>{top}<tbody>{body}</tbody></table></div>')


def fields(rows: Sequence[tuple[str, str, Markup]]) -> Markup:
    """Labels, what is said about them, and values, as a form shows them."""
    parts = [element("div", join(element("dt", label, tip=tip), element("dd", value))) for label, tip, value in rows]
    return element("dl", join(*parts), class_="fields")


def short(text: str, length: int = 80) -> str:
    return text if len(text) <= length else text[: length - 1] + "…"


def document(title: str, trail: Sequence[tuple[str, str]], body: Markup, *, headline: bool = True) -> str:
    """A whole page; `trail` are (text, address) from the site down; `headline` False: the body has its own."""
    crumbs = element("span", "›").join(link(short(text), target) for text, target in trail)
    top = element("h1", title) if headline else ""
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{CSS}{FORMAT_CSS}</style></head><body>"
        f'<header><div class="site"><div class="logo">{escape(trail[0][0][:1])}</div><nav>{crumbs}</nav></div></header>'
        f"<main>{top}{body}</main>"
        "<footer>SharePoint emulator. Read only; change data through its REST API.</footer></body></html>"
    )
