"""The pages draw list formatting as SharePoint would, and nothing of it can become a script or an error page."""

from __future__ import annotations

import json
import re
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from emu_sharepoint_kit import BALANCE, DUE, KEY, LINK, NOTES, PAID, STATE, Emulator

from worker.sharepoint.definitions import load_definitions
from worker.sharepoint.formatting import Place, load_looks

CONFIG = Path(__file__).parents[3] / "config"
DEFINITIONS = load_definitions(CONFIG / "lists")
LOOKS = load_looks(CONFIG / "formatting", DEFINITIONS)
EVIL = "<script>alert(1)</script>"
QUOTES = """' onmouseover="alert(1)" x='"""
# Elements that the pages make themselves; anything else in them came out of a value or a formatter.
OWN = frozenset(
    {
        "html",
        "head",
        "meta",
        "title",
        "style",
        "body",
        "header",
        "div",
        "nav",
        "a",
        "span",
        "main",
        "h1",
        "h2",
        "p",
        "table",
        "thead",
        "tbody",
        "tr",
        "th",
        "td",
        "dl",
        "dt",
        "dd",
        "footer",
    }
)


class Tags(HTMLParser):
    """Every element with its attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, {name: value or "" for name, value in attrs}))


class Page:
    """A list with some columns, and the page that shows it."""

    def __init__(self, emulator: Emulator, *columns: str, title: str = "Poster") -> None:
        self.emulator = emulator
        self.name = title
        self.path = emulator.make_list(title, *columns)

    def look(self, column: str, formatter: Any) -> None:
        text = formatter if isinstance(formatter, str) else json.dumps(formatter)
        answer = self.emulator.merge(
            f"{self.path}/fields/getbyinternalnameortitle('{column}')", {"CustomFormatter": text}
        )
        assert answer.status_code == 204, answer.text

    def view(self, *columns: str, query: str = "", formatter: Any = None) -> None:
        body = {
            "Title": "V",
            "RowLimit": 100,
            "ViewFields": list(columns),
            "ViewQuery": query,
            "SetAsDefaultView": True,
        }
        if formatter is not None:
            body["CustomFormatter"] = formatter if isinstance(formatter, str) else json.dumps(formatter)
        self.emulator.post(f"{self.path}/views", body)

    def form(self, layout: Any) -> None:
        rows = self.emulator.get(f"{self.path}/contenttypes?$select=StringId,Name")["value"]
        (name,) = [row["StringId"] for row in rows if not row["StringId"].startswith("0x0120")]
        text = layout if isinstance(layout, str) else json.dumps(layout)
        answer = self.emulator.merge(f"{self.path}/contenttypes('{name}')", {"ClientFormCustomFormatter": text})
        assert answer.status_code == 204, answer.text

    def text(self, item: int | None = None) -> str:
        below = f"/{item}" if item else "?view=V"
        answer = requests.get(f"{self.emulator.site}/Lists/{self.name}{below}", timeout=20)
        assert answer.status_code == 200
        assert {tag for tag, _ in Tags(answer.text).found} <= OWN | {"button", "img", "svg", "path"}
        return answer.text

    def cell(self, row: int = 0, column: int = 1) -> str:
        """What stands in one cell."""
        body = self.text().partition("<tbody>")[2].partition("</tbody>")[0]
        rows = re.findall(r"<tr[^>]*>(.*?)</tr>", body, re.DOTALL)
        return re.findall(r"<t[dh][^>]*>(.*?)</t[dh]>", rows[row], re.DOTALL)[column]


def shipped(name: str, language: str = "en", link: tuple[str, str] | None = None) -> str:
    text = LOOKS.text(name, Place(link=link), language)  # type: ignore[arg-type]
    assert text is not None
    return text


def field(kind: str, name: str) -> str:
    choices = "<CHOICES><CHOICE>A</CHOICE></CHOICES>" if kind == "Choice" else ""
    decimals = ' Decimals="0"' if kind == "Number" else ' Decimals="2"' if kind == "Currency" else ""
    return f'<Field Type="{kind}" Name="{name}" DisplayName="{name}"{decimals}>{choices}</Field>'


def words(markup: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", markup)).split())


def formatted(emulator: Emulator, formatter: Any, value: Any = 5, kind: str = "Number") -> str:
    """The cell of one item with one formatted column."""
    page = Page(emulator, field(kind, "Value"))
    page.look("Value", formatter)
    page.view("LinkTitle", "Value")
    page.emulator.add(page.path, Title="row", Value=value)
    return page.cell()


# --- the shipped looks


AGEING = ["Overdue1To30", "Overdue31To60", "Overdue61To90", "OverdueOver90"]


@pytest.fixture
def money(emulator: Emulator) -> Page:
    currencies = ["Balance", "CreditLimit", "OverdueAmount", *AGEING, "SalesYearToDate", "SalesLastYearToDate"]
    page = Page(
        emulator,
        *(field("Currency", name) for name in currencies),
        field("Number", "OldestOverdueDays"),
        field("Text", "SalesTrend"),
        field("Text", "CustomerID"),
    )
    for column in DEFINITIONS["companies"].columns:
        if column.formatter and column.formatter not in ("erp-status", "create-button"):
            link = ("https://sync.example.com/economy/", "")
            page.look(column.name, shipped(column.formatter, link=link))
    return page


@pytest.mark.parametrize(("days", "tone"), [(1, "Gold"), (30, "Gold"), (31, "Peach"), (90, "Peach"), (91, "DustRose")])
def test_the_overdue_pill_turns_from_yellow_to_red(money, days, tone):
    """By the age of the oldest debt, which stands in its tip."""
    money.view("LinkTitle", "OverdueAmount", "OldestOverdueDays")
    money.emulator.add(money.path, Title="A", OverdueAmount=1234.5, OldestOverdueDays=days)
    cell = money.cell()
    assert words(cell) == "1.234,50"
    assert f"sp-css-backgroundColor-Bg{tone} sp-css-color-{tone}Font" in cell
    assert f'title="Oldest invoice overdue for {days} days"' in cell
    assert "border-radius:12px" in cell
    assert "display:inline-block" in cell


@pytest.mark.parametrize("amount", [0, None])
def test_nothing_overdue_shows_no_pill(money, amount):
    """Neither zero nor blank."""
    money.view("LinkTitle", "OverdueAmount", "OldestOverdueDays")
    money.emulator.add(money.path, Title="A", OverdueAmount=amount, OldestOverdueDays=amount)
    assert "display:none" in money.cell()
    assert "title=" not in money.cell()


def test_the_ageing_bar_divides_by_age(money):
    """Four parts that make the whole, each with its amount in its tip."""
    money.view("LinkTitle", "OldestOverdueDays", "OverdueAmount", *AGEING)
    parts = dict(zip(AGEING, [100, 0, 50, 50], strict=True))
    money.emulator.add(money.path, Title="A", OldestOverdueDays=131, OverdueAmount=200, **parts)
    cell = money.cell()
    assert re.findall(r"width:(\d+%|0)", cell) == ["50%", "0", "25%", "25%"]
    assert 'title="61-90 days overdue: 50,00"' in cell
    assert words(cell) == "131 days"


@pytest.mark.parametrize(
    ("trend", "shown", "colour"),
    [
        ("Growing", "↗ Growing", "MintGreenFont"),
        ("Stable", "→ Stable", "neutralSecondary"),
        ("Declining", "↘ Declining", "PeachFont"),
        ("Lapsed", "↓ Lapsed", "DustRoseFont"),
        ("New", "+ New", "CornflowerBlueFont"),
        ("No sales", "No sales", "neutralSecondary"),
        ("Something new", "Something new", "neutralSecondary"),
    ],
)
def test_the_trend_is_an_arrow_in_its_colour(money, trend, shown, colour):
    """A word nobody knows yet is shown as it is."""
    money.view("LinkTitle", "SalesTrend")
    money.emulator.add(money.path, Title="A", SalesTrend=trend)
    assert words(money.cell()) == shown
    assert colour in money.cell()


@pytest.mark.parametrize(
    ("balance", "limit", "colour", "tip"),
    [
        (150, 100, "sp-css-color-DustRoseFont", "Above the credit limit"),
        (100, 100, "", ""),
        (150, 0, "", ""),
        (150, None, "", ""),
        (-20, 100, "sp-css-color-MintGreenFont", "In the customer’s favour"),
        (0, 100, "ms-fontColor-neutralSecondary", ""),
    ],
)
def test_the_balance_is_red_above_the_limit_and_green_in_the_customers_favour(money, balance, limit, colour, tip):
    """Grey when it is nothing."""
    money.view("LinkTitle", "Balance", "CreditLimit")
    money.emulator.add(money.path, Title="A", Balance=balance, CreditLimit=limit)
    cell = money.cell()
    classes = set(re.findall(r'<span[^>]*class="([^"]*)"', cell))
    assert classes == ({colour} if colour else set())
    assert (f'title="{tip}"' in cell) == bool(tip)


@pytest.mark.parametrize(
    ("now", "before", "shown", "colour"),
    [(150, 100, "150,00 +50 %", "MintGreenFont"), (43, 100, "43,00 −57 %", "DustRoseFont"), (9, 0, "9,00", "")],
)
def test_sales_show_their_change_where_there_is_one(money, now, before, shown, colour):
    """Without sales the year before there is nothing to compare with."""
    money.view("LinkTitle", "SalesYearToDate", "SalesLastYearToDate")
    money.emulator.add(money.path, Title="A", SalesYearToDate=now, SalesLastYearToDate=before)
    cell = money.cell()
    if colour:
        assert words(cell) == shown
        assert colour in cell
    else:
        assert "display:none" in cell


def test_the_customer_number_leads_to_the_economy_card(money):
    """In a new window that knows nothing of this one; no link for a prospect."""
    money.view("LinkTitle", "CustomerID")
    money.emulator.add(money.path, Title="A", CustomerID="10023")
    money.emulator.add(money.path, Title="B")
    cell = money.cell()
    assert words(cell) == "10023 ↗"
    assert 'href="https://sync.example.com/economy/10023"' in cell
    assert 'target="_blank" rel="noopener noreferrer"' in cell
    assert "display:none" in money.cell(row=1)


@pytest.mark.parametrize(
    ("name", "value", "shown", "tone"),
    [
        ("invoice-status", "Overdue", "Forfalden", "DustRose"),
        ("invoice-status", "Paid", "Betalt", "MintGreen"),
        ("invoice-status", "Not due", "Ikke forfalden", "CornflowerBlue"),
        ("invoice-status", "Credit note", "Kreditnota", "LightGray"),
        ("run-status", "Succeeded", "Gennemført", "MintGreen"),
        ("run-status", "Succeeded with errors", "Gennemført med fejl", "Gold"),
        ("run-status", "Stopped by brake", "Stoppet af bremsen", "Peach"),
        ("run-status", "Failed", "Fejlet", "DustRose"),
        ("run-status", "Running", "Kører", "CornflowerBlue"),
        ("run-status", "Queued", "I kø", "LightGray"),
        ("erp-status", "Barred", "Spærret", "Peach"),
        ("row-outcome", "Healed", "Løst", "MintGreen"),
    ],
)
def test_states_are_pills(emulator, name, value, shown, tone):
    """In the language they were provisioned in."""
    cell = formatted(emulator, shipped(name, "da"), value, "Text")
    assert words(cell) == shown
    assert f"sp-css-backgroundColor-Bg{tone} sp-css-color-{tone}Font" in cell


@pytest.mark.parametrize(
    ("name", "value", "shown", "tone"),
    [
        ("days-overdue", 91, "91 days", "BgDustRose"),
        ("days-overdue", 31, "31 days", "BgPeach"),
        ("days-overdue", 1, "1 days", "BgGold"),
        ("count-alert", 3, "3", "BgDustRose"),
        ("count-alert", 0, "0", "neutralSecondary"),
        ("count-notice", 1, "1", "BgGold"),
        ("change-pct", 12, "↗ 12", "MintGreenFont"),
        ("change-pct", -12, "↘ -12", "DustRoseFont"),
        ("quiet-zero", 0, "–", "neutralSecondary"),
    ],
)
def test_counts_stand_out_when_they_matter(emulator, name, value, shown, tone):
    """Days, failures, notices, changes; zeros stay quiet."""
    cell = formatted(emulator, shipped(name), value)
    assert words(cell) == shown
    assert tone in cell


def test_invoices_stand_under_the_header_of_their_company(emulator):
    """With its name and how many; those without a company have a header too."""
    companies = emulator.make_list("Firmaer")
    emulator.add(companies, Title=f"Berg {EVIL}")
    guid = companies.partition("'")[2].partition("'")[0]
    lookup = f'<Field Type="Lookup" Name="Company" DisplayName="Company" List="{{{guid}}}" ShowField="Title"/>'
    page = Page(emulator, lookup, field("Number", "Value"))
    page.view(
        "LinkTitle",
        "Value",
        query='<GroupBy Collapse="FALSE"><FieldRef Name="Company"/></GroupBy>'
        '<OrderBy><FieldRef Name="Value"/></OrderBy>',
        formatter=shipped("invoice-groups"),
    )
    for title, company in (("A", 1), ("B", None), ("C", 1)):
        emulator.add(page.path, Title=title, Value=1, CompanyId=company)
    text = page.text()
    body = text.partition("<tbody>")[2]
    headers = [words(header) for header in re.findall(r'<tr class="group">(.*?)</tr>', body, re.DOTALL)]
    assert headers == ["No company 1 invoice", f"Berg {EVIL} 2 invoices"]
    assert EVIL not in text
    assert list(re.findall(r">([ABC])</a>", body)) == ["B", "A", "C"]


@pytest.mark.parametrize(
    ("state", "number", "shows", "button"),
    [
        (None, None, "", "Create in e-conomic"),
        ("Failed", None, "Failed", "Try again"),
        ("Requested", None, "Requested", None),
        ("Creating", None, "Being created", None),
        ("Created", "7", "Created", None),
        (None, "7", "", None),
    ],
)
def test_the_button_asks_for_a_customer_only_where_one_can_be_made(emulator, state, number, shows, button):
    """A company with a number, or one that waits, has no button."""
    page = Page(emulator, field("Text", "CreateInEconomic"), field("Text", "CustomerID"))
    page.look("CreateInEconomic", shipped("create-button"))
    page.emulator.add(page.path, Title="x", **({"CreateInEconomic": state} if state else {}), CustomerID=number)
    page.view("LinkTitle", "CustomerID", "CreateInEconomic")
    text = page.text()
    pill, buttons = re.findall(r"<span[^>]*>([^<]*)</span>", text), re.findall(r"<button([^>]*)>([^<]*)</button>", text)
    assert shows in pill
    ((marks, words_of_it),) = buttons
    assert ("display: none" not in marks.replace("display:none", "display: none")) == (button is not None)
    if button:
        assert words_of_it == button


def test_a_form_has_its_header_and_sections(emulator):
    """Columns in no section come in the last; each once."""
    page = Page(
        emulator, *(field("Currency", name) for name in ("Balance", "OverdueAmount")), field("Text", "CustomerID")
    )
    layout = json.loads(shipped("company-form", link=("https://sync.example.com/economy/", "")))
    page.form(layout)
    page.emulator.add(page.path, Title=f"Berg {EVIL}", CustomerID="7", Balance=12, OverdueAmount=5)
    text = page.text(1)
    header = text.partition('<div class="form">')[2].partition("<h2>")[0]
    assert words(header).startswith(f"Berg {EVIL} Customer 7 Balance 12,00 Overdue 5,00 Economy card ↗")
    assert 'href="https://sync.example.com/economy/7"' in header
    assert EVIL not in text
    titles = re.findall(r"<h2[^>]*>([^<]*)</h2>", text)
    assert titles[:5] == ["Master data", "Money", "Sales", "Create in e-conomic", "Other"]
    money = text.partition(">Money</h2>")[2].partition("<h2")[0]
    assert [words(one) for one in re.findall(r"<dt[^>]*>(.*?)</dt>", money)] == ["Balance", "OverdueAmount"]
    assert len(re.findall(r"<dt[^>]*>Balance</dt>", text)) == 1


def test_what_a_column_is_for_stands_at_its_title(emulator):
    """Where the pointer rests, in the list and in the form."""
    page = Page(emulator, field("Text", "City"))
    emulator.merge(f"{page.path}/fields/getbyinternalnameortitle('City')", {"Description": f'From "ERP" {EVIL}'})
    page.view("LinkTitle", "City")
    page.emulator.add(page.path, Title="A", City="B")
    for text in (page.text(), page.text(1)):
        assert 'title="From &quot;ERP&quot; &lt;script&gt;' in text


# --- nothing becomes markup


HOLDERS = {
    "text": {"elmType": "div", "txtContent": "@currentField"},
    "expression": {"elmType": "div", "txtContent": "='x ' + @currentField"},
    "title": {"elmType": "div", "txtContent": "x", "attributes": {"title": "@currentField"}},
    "class": {"elmType": "div", "txtContent": "x", "attributes": {"class": "@currentField"}},
    "role": {"elmType": "div", "txtContent": "x", "attributes": {"role": "@currentField"}},
    "href": {"elmType": "a", "txtContent": "x", "attributes": {"href": "@currentField", "target": "@currentField"}},
    "src": {"elmType": "img", "attributes": {"src": "@currentField"}},
    "path": {"elmType": "svg", "children": [{"elmType": "path", "attributes": {"d": "@currentField"}}]},
    "colour": {"elmType": "div", "txtContent": "x", "style": {"color": "@currentField"}},
    "width": {"elmType": "div", "txtContent": "x", "style": {"width": "=@currentField + 'px'"}},
}
VALUES = [
    EVIL,
    QUOTES,
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    "java\tscript:alert(1)",
    " javascript:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "vbscript:x",
    "//evil.example/",
    "/\\evil.example/",
    "red;background-image:url(https://evil.example/x)",
    "url(https://evil.example/x)",
    "expression(alert(1))",
    "red}</style><script>alert(1)</script>",
    "=1+1",
    "[$Title]",
    "&lt;img src=x onerror=alert(1)&gt;",
]


@pytest.mark.parametrize("holder", HOLDERS)
def test_no_value_becomes_markup_a_script_or_a_style_that_fetches(emulator, holder):
    """Wherever a formatter puts it; tags, attributes and addresses stay those of the page."""
    page = Page(emulator, field("Text", "Value"))
    page.look("Value", HOLDERS[holder])
    page.view("LinkTitle", "Value")
    for value in VALUES:
        page.emulator.add(page.path, Title=value, Value=value)
    text = page.text()
    assert "<script" not in text
    for tag, attributes in Tags(text).found:
        assert not [name for name in attributes if name.startswith("on")], (tag, attributes)
        address = attributes.get("href", "")
        assert urlsplit(address).scheme in ("", "http", "https", "mailto"), address
        assert not address.startswith(("//", "/\\"))
        assert "src" not in attributes
        style = attributes.get("style", "").casefold()
        assert "url(" not in style
        assert "expression(" not in style
        assert ";background-image" not in style
    assert text.count("<tr>") + text.count("<tr ") == len(VALUES) + 1


@pytest.mark.parametrize(
    "address",
    [
        "javascript:alert(1)",
        "data:text/html,x",
        "vbscript:x",
        "//evil.example/",
        "/\\evil.example",
        "a:b",
        "https://a b/",
    ],
)
def test_an_address_that_leads_elsewhere_makes_no_link(emulator, address):
    """The text stays."""
    cell = formatted(emulator, HOLDERS["href"], address, "Text")
    assert words(cell) == "x"
    assert "href" not in cell or f'href="{address}' not in cell


@pytest.mark.parametrize(
    "address", ["https://a.example/?q=1&r=2", "http://a.example/", "mailto:a@b.example", "/sites/crm"]
)
def test_an_address_of_the_web_makes_a_link(emulator, address):
    """Else the refusals above would prove nothing."""
    assert f'href="{address}"' in unescape(formatted(emulator, HOLDERS["href"], address, "Text"))


# --- what is broken


BROKEN = {
    "no JSON": "{not json",
    "a number": "7",
    "a list": "[]",
    "text": '"text"',
    "an unknown element": {"elmType": "script", "txtContent": "alert(1)"},
    "no element": {"txtContent": "x"},
    "an element that is a list": {"elmType": ["div"]},
    "an unknown style": {"elmType": "div", "style": {"colour": "red"}},
    "a style that is text": {"elmType": "div", "style": "color:red"},
    "an unknown attribute": {"elmType": "div", "attributes": {"onclick": "alert(1)"}},
    "attributes that are a list": {"elmType": "div", "attributes": ["class"]},
    "children that are none": {"elmType": "div", "children": {"elmType": "div"}},
    "a child that is text": {"elmType": "div", "children": ["x"]},
    "a child that is broken": {"elmType": "div", "children": [{"elmType": "object"}]},
    "an open expression": {"elmType": "div", "txtContent": "=if(@currentField > 0, 'x'"},
    "an unknown function": {"elmType": "div", "txtContent": "=alert(1)"},
    "an unknown operator": {"elmType": "div", "txtContent": {"operator": "**", "operands": [1, 2]}},
    "an operator that is a list": {"elmType": "div", "txtContent": {"operator": [], "operands": [1, 2]}},
    "no operands": {"elmType": "div", "txtContent": {"operator": "+"}},
    "too few operands": {"elmType": "div", "txtContent": {"operator": "?", "operands": [1]}},
    "a value that is a list": {"elmType": "div", "txtContent": ["x"]},
    "a very long expression": {"elmType": "div", "txtContent": "='" + "x" * 20_000 + "'"},
    "a part that is not drawn": {"elmType": "div", "forEach": "one in @currentField", "txtContent": "x"},
}


def deep(levels: int) -> Any:
    node: Any = {"elmType": "div", "txtContent": "x"}
    for _ in range(levels):
        node = {"elmType": "div", "children": [node]}
    return node


def deep_operation(levels: int) -> Any:
    node: Any = 1
    for _ in range(levels):
        node = {"operator": "+", "operands": [node, 1]}
    return {"elmType": "div", "txtContent": node}


BROKEN["very deep elements"] = deep(60)


@pytest.mark.parametrize("levels", [10, 150, 3000])
def test_a_deep_expression_is_worked_out_or_told(emulator, levels):
    """Never an error page, however deep somebody nests."""
    brackets = formatted(emulator, {"elmType": "div", "txtContent": "=" + "(" * levels + "1" + ")" * levels})
    assert words(brackets) in ("1", "5 ⚠")


@pytest.mark.parametrize("levels", [10, 150])
def test_a_deep_operation_is_worked_out_or_told(emulator, levels):
    """The tree form; JSON itself ends before much deeper ones."""
    assert words(formatted(emulator, deep_operation(levels))) in (str(levels + 1), "5 ⚠")


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_formatter_shows_the_plain_value_and_a_note(emulator, case):
    """As SharePoint falls back to the value; never an error page."""
    cell = formatted(emulator, BROKEN[case])
    assert words(cell) == "5 ⚠"
    assert 'class="format-error"' in cell
    assert "Formatting is not shown" in cell
    assert "<script" not in cell


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_group_header_or_form_header_is_told_too(emulator, case):
    """The rows and sections stay."""
    formatter = BROKEN[case]
    header = json.loads(formatter) if isinstance(formatter, str) and formatter != "{not json" else formatter
    page = Page(emulator, field("Number", "Value"))
    page.view(
        "LinkTitle",
        "Value",
        query='<GroupBy Collapse="FALSE"><FieldRef Name="Value"/></GroupBy>',
        formatter={"groupProps": {"headerFormatter": header}},
    )
    page.form({"headerJSONFormatter": header, "bodyJSONFormatter": {"sections": "none"}})
    page.emulator.add(page.path, Title="row", Value=5)
    assert "row" in page.text()
    assert "Value: 5" in page.text()
    assert "row" in page.text(1)


@pytest.mark.parametrize(
    "formatter",
    [
        "{",
        "[]",
        "7",
        '{"groupProps": 7}',
        '{"groupProps": []}',
        '{"groupProps": "x"}',
        '{"additionalRowClass": 7}',
        '{"additionalRowClass": "=if("}',
        '{"additionalRowClass": []}',
        '{"additionalRowClass": "x\\" onclick=\\"alert(1)"}',
    ],
)
def test_a_broken_view_shows_its_rows(emulator, formatter):
    """Grouped and with row classes."""
    page = Page(emulator, field("Number", "Value"))
    page.view(
        "LinkTitle",
        "Value",
        query='<GroupBy Collapse="FALSE"><FieldRef Name="Value"/></GroupBy>',
        formatter=formatter,
    )
    page.emulator.add(page.path, Title="row", Value=5)
    text = page.text()
    assert ">row</a>" in text
    assert not [one for _, one in Tags(text).found if "onclick" in one]


@pytest.mark.parametrize(
    "layout",
    [
        "{",
        "[]",
        '"x"',
        '{"bodyJSONFormatter": []}',
        '{"bodyJSONFormatter": {"sections": [1, "x", {"fields": null}]}}',
        '{"bodyJSONFormatter": {"sections": [{"displayname": null, "fields": [null, 7, {}]}]}}',
        '{"bodyJSONFormatter": {"sections": [{"displayname": "<b>x</b>", "fields": "Value"}]}}',
        '{"headerJSONFormatter": "x", "footerJSONFormatter": 7}',
    ],
)
def test_a_broken_form_shows_every_value(emulator, layout):
    """In whatever sections can be read."""
    page = Page(emulator, field("Number", "Value"))
    page.form(layout)
    page.emulator.add(page.path, Title="row", Value=5)
    text = page.text(1)
    assert len(re.findall(r"<dt[^>]*>Value</dt>", text)) == 1
    assert "<b>x</b>" not in text


def test_row_classes_follow_their_expression(emulator):
    """Odd rows and even ones, as the published example does."""
    page = Page(emulator, field("Number", "Value"))
    page.view("LinkTitle", "Value", formatter={"additionalRowClass": "=if(@rowIndex % 2 == 0, 'even', '')"})
    for title in "abc":
        page.emulator.add(page.path, Title=title, Value=1)
    assert page.text().count('<tr class="even">') == 2


# --- expressions


@pytest.mark.parametrize(
    ("expression", "shown"),
    [
        ("=1 + 2 * 3", "7"),
        ("=(1 + 2) * 3", "9"),
        ("=-2 + 5 % 3", "0"),
        ("=7 / 2", "3.5"),
        ("=1 / 0", "Infinity"),
        ("='a' + 1 + 2", "a12"),
        ("=1 + 2 + 'a'", "3a"),
        ("=if(@currentField > 4 && @currentField < 6, 'in', 'out')", "in"),
        ("=if('' == 0, 'same', 'other')", "other"),
        ("=if([$Title] == 'row', 'yes', 'no')", "yes"),
        ("=if([$NotInView] == '', 'blank', 'there')", "blank"),
        ("=toString(floor(2.7)) + toString(ceiling(2.1)) + toString(abs(-3))", "233"),
        ("=toUpperCase('abc') + toLowerCase('DEF')", "ABCdef"),
        ("=indexOf('DogFood', 'F')", "3"),
        ("=if(startsWith('DogFood', 'Dog'), 'a', 'b') + if(endsWith('DogFood', 'Dog'), 'a', 'b')", "ab"),
        ("=Number('365') + 1", "366"),
        ("=Number('Wowee')", "NaN"),
        ("[!Value.DisplayName]", "Value"),
        ("@currentField.displayValue", "5"),
        ({"operator": ":", "operands": [{"operator": ">", "operands": ["@currentField", 4]}, "more", "less"]}, "more"),
        ({"operator": "+", "operands": [{"operator": "toString()", "operands": ["@currentField"]}, "%"]}, "5%"),
        ("plain = text", "plain = text"),
    ],
)
def test_expressions_come_to_what_the_documentation_says(emulator, expression, shown):
    """Operators, functions, both ways of writing."""
    assert words(formatted(emulator, {"elmType": "div", "txtContent": expression})) == shown


def test_values_have_the_parts_that_sharepoint_gives_them(emulator):
    """Dates, choices, yes or no, addresses."""
    page = Page(emulator, KEY, BALANCE, DUE, PAID, STATE, NOTES, LINK)
    page.look(
        "DueDate",
        {"elmType": "div", "txtContent": "=if(@currentField < @now, 'past ', '') + @currentField.displayValue"},
    )
    page.look(
        "Paid", {"elmType": "div", "txtContent": "=if(@currentField, 'paid ', 'open ') + @currentField.displayValue"}
    )
    page.look("Pdf", {"elmType": "a", "txtContent": "@currentField.desc", "attributes": {"href": "@currentField"}})
    page.look("EcoState", {"elmType": "div", "txtContent": "='is ' + @currentField"})
    page.view("LinkTitle", "DueDate", "Paid", "Pdf", "EcoState", "Balance")
    pdf = {"Url": "https://a.example/x.pdf", "Description": "x.pdf"}
    page.emulator.add(page.path, Title="A", DueDate="2020-02-01", Paid=True, Pdf=pdf, EcoState="Created", Balance=1)
    assert [words(page.cell(column=number)) for number in (1, 2, 3, 4)] == [
        "past 01-02-2020",
        "paid Yes",
        "x.pdf",
        "is Created",
    ]
    assert 'href="https://a.example/x.pdf"' in page.cell(column=3)
