"""SharePoint's list formatting as a checker: the shapes, names and expressions it takes, written down in our own words.

Sources, all of learn.microsoft.com/sharepoint/dev/declarative-customization: formatting-syntax-reference (elements,
properties, styles, attributes, operators, special values; of 28 August 2024), view-list-formatting and
view-group-formatting (rows and groups), list-form-configuration (header, body, footer), column-formatting (clickable
addresses), and the property lists of the published v2 schemas for columns and rows. The expression reader is this
module's own, so that a mistake in the emulator's does not approve itself.

Some things are stricter here than there: an address must be seen to lead to the web, text that holds a reference
without being an expression is taken for a slip, and a class must be one of SharePoint's own or our mark.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import urlsplit

from worker.domain.values import ColumnKind

Kind = Literal["column", "view", "form"]


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


_SCHEMAS = {
    "column": "https://developer.microsoft.com/json-schemas/sp/v2/column-formatting.schema.json",
    "view": "https://developer.microsoft.com/json-schemas/sp/v2/row-formatting.schema.json",
}
ELEMENTS = _names("div span a img svg path button p filepreview")
_PROPERTIES = _names(
    """elmType txtContent style attributes children forEach customRowAction customCardProps defaultHoverField
    columnFormatterReference inlineEditField filePreviewProps"""
)
_ROOT_ONLY = frozenset({"$schema", "debugMode"})
_ACTIONS = _names("defaultClick share delete editProps openContextMenu setValue executeFlow embed")
_CARD = _names("formatter openOnEvent directionalHint isBeakVisible beakStyle")
ATTRIBUTES = _names(
    """href rel src class target title role iconName d aria data-interception viewBox preserveAspectRatio
    draggable"""
)
STYLES = _names(
    """background-color fill background-image border border-bottom border-bottom-color border-bottom-style
    border-bottom-width border-color border-left border-left-color border-left-style border-left-width border-right
    border-right-color border-right-style border-right-width border-style border-top border-top-color border-top-style
    border-top-width border-width outline outline-color outline-style outline-width border-bottom-left-radius
    border-bottom-right-radius border-radius border-top-left-radius border-top-right-radius box-decoration-break
    box-shadow box-sizing overflow-x overflow-y overflow-style rotation rotation-point opacity cursor height max-height
    max-width min-height min-width width flex-grow flex-shrink flex-flow flex-direction flex-wrap flex justify-content
    align-items box-align box-direction box-flex box-flex-group box-lines box-ordinal-group box-orient box-pack font
    font-family font-size font-style font-variant font-weight font-size-adjust font-stretch grid-columns grid-rows
    margin margin-bottom margin-left margin-right margin-top column-count column-fill column-gap column-rule
    column-rule-color column-rule-style column-rule-width column-span column-width columns padding padding-bottom
    padding-left padding-right padding-top bottom clear clip display float left overflow position right top visibility
    z-index border-collapse border-spacing caption-side empty-cells table-layout color direction letter-spacing
    line-height text-align text-decoration text-indent text-transform unicode-bidi vertical-align white-space
    word-spacing hanging-punctuation punctuation-trim text-align-last text-justify text-outline text-overflow
    text-shadow text-wrap word-break word-wrap stroke fill-opacity --inline-editor-border-width
    --inline-editor-border-style --inline-editor-border-radius --inline-editor-border-color -webkit-line-clamp
    object-fit transform"""
)
_VIEW = _names(
    """$schema hideSelection hideColumnHeader hideListHeader hideFooter rowFormatter additionalRowClass groupProps
    footerFormatter commandBarProps"""
)
_GROUP = frozenset({"headerFormatter", "footerFormatter", "hideFooter"})
_FORM = frozenset({"headerJSONFormatter", "bodyJSONFormatter", "footerJSONFormatter"})

# Names of operators with how many operands they take. In the tree form some are written with a pair of brackets.
_FUNCTIONS: Mapping[str, int] = {
    **dict.fromkeys(_names("toString Number Date cos sin toDateString toLocaleString"), 1),
    **dict.fromkeys(_names("toLocaleDateString toLocaleTimeString toLowerCase toUpperCase abs length"), 1),
    **dict.fromkeys(_names("floor ceiling loopIndex getDate getMonth getYear"), 1),
    **dict.fromkeys(_names("indexOf lastIndexOf startsWith endsWith join pow getUserImage split"), 2),
    **dict.fromkeys(_names("addDays addMinutes appendTo removeFrom"), 2),
    **dict.fromkeys(_names("substring replace replaceAll padStart padEnd getThumbnailImage"), 3),
}
_BRACKETED = _names("toString Number Date toLocaleString toLocaleDateString toLocaleTimeString")
_SIGNS = ("||", "&&", "==", "!=", "<=", ">=", "<", ">", "+", "-", "*", "/", "%")
# What stands for itself, and where: groups only in a group's header.
_SPECIALS = _names("now me currentWeb rowIndex isSelected lcid UIlcid window.innerHeight window.innerWidth")
_GROUP_SPECIALS = re.compile(r"group\.(fieldData(\.\w+)*|columnDisplayName|count)")
_DISPLAYED = {ColumnKind.DATE, ColumnKind.DATETIME, ColumnKind.NUMBER, ColumnKind.BOOLEAN, ColumnKind.CURRENCY}
_PARTS: Mapping[str, frozenset[ColumnKind]] = {
    "displayValue": frozenset(_DISPLAYED),
    **dict.fromkeys(("lookupId", "lookupValue"), frozenset({ColumnKind.LOOKUP})),
    **dict.fromkeys(
        ("id", "title", "email", "sip", "picture", "department", "jobTitle"), frozenset({ColumnKind.PERSON})
    ),
    "desc": frozenset({ColumnKind.URL}),
}
_CLASS = re.compile(r"(sp-(css|field|card|row)|ms)-[A-Za-z0-9]+([-–]+[A-Za-z0-9]+)*|economic-sync-[0-9a-f]{16}")
_FOR_EACH = re.compile(r"[A-Za-z_]\w* in (@currentField|\[\$\w+\])")
_REFERENCE = re.compile(r"\[\$(\w+)\]")
_TOKEN = re.compile(
    r"\s*(?:(?P<number>\d+(?:\.\d+)?)|(?P<text>'[^']*')|(?P<special>@\w+(?:\.\w+)*)|\[\$(?P<column>\w+(?:\.\w+)*)\]"
    r"|\[!(?P<title>\w+)\.DisplayName\]|(?P<name>[A-Za-z]+)|(?P<sign>\|\||&&|==|!=|<=|>=|[<>+\-*/%(),]))"
)


@dataclass(frozen=True)
class Columns:
    """What a formatter may refer to: the list's columns, the one it stands on, and whether it heads a group."""

    kinds: Mapping[str, ColumnKind]
    current: str = "Title"
    grouped: bool = False
    titles: Sequence[str] = ()


class _Unreadable(Exception):
    """An expression that breaks off or goes wrong; says where."""


def problems(document: Any, kind: Kind, columns: Columns) -> list[str]:
    """Everything SharePoint would refuse in a formatter, or show otherwise than it was meant, each with its place."""
    if not isinstance(document, dict):
        return ["is no object"]
    match kind:
        case "column":
            return [*_schema(document, kind), *_element(document, columns, "", root=True)]
        case "view":
            return [*_schema(document, kind), *_view(document, columns)]
        case "form":
            return list(_form(document, columns))


def _schema(document: Mapping[str, Any], kind: Kind) -> Iterator[str]:
    if document.get("$schema") != _SCHEMAS[kind]:
        yield f"$schema: is not {_SCHEMAS[kind]}"


def _unknown(found: Mapping[str, Any], known: frozenset[str], place: str) -> Iterator[str]:
    for name in sorted(set(found) - known):
        yield f"{place}{name}: is not known there"


def _view(document: Mapping[str, Any], columns: Columns) -> Iterator[str]:
    yield from _unknown(document, _VIEW, "")
    for name in ("rowFormatter", "footerFormatter"):
        if name in document:
            yield from _element(document[name], columns, f"{name}.", root=True)
    if "additionalRowClass" in document:
        yield from _value(document["additionalRowClass"], columns, "additionalRowClass")
    group = document.get("groupProps", {})
    yield from _unknown(group, _GROUP, "groupProps.")
    inside = Columns(columns.kinds, columns.current, grouped=True)
    for name in ("headerFormatter", "footerFormatter"):
        if name in group:
            yield from _element(group[name], inside, f"groupProps.{name}.", root=True)


def _form(document: Mapping[str, Any], columns: Columns) -> Iterator[str]:
    yield from _unknown(document, _FORM, "")
    for name in ("headerJSONFormatter", "footerJSONFormatter"):
        if document.get(name, "") != "":  # "" is what SharePoint itself writes for none
            yield from _element(document[name], columns, f"{name}.", root=True)
    body = document.get("bodyJSONFormatter")
    if body in (None, ""):
        return
    if not isinstance(body, dict) or not isinstance(body.get("sections"), list):
        yield "bodyJSONFormatter: has no sections"
        return
    yield from _unknown(body, frozenset({"sections"}), "bodyJSONFormatter.")
    yield from _sections(body["sections"], columns)


def _sections(sections: Sequence[Any], columns: Columns) -> Iterator[str]:
    seen: set[str] = set()
    for index, section in enumerate(sections):
        place = f"sections.{index}"
        if not isinstance(section, dict) or set(section) != {"displayname", "fields"}:
            yield f"{place}: is no displayname with fields"
            continue
        if not isinstance(section["displayname"], str):
            yield f"{place}.displayname: is no text"
        for title in section["fields"]:
            if title not in columns.titles:
                yield f"{place}.fields: '{title}' is no column's display name"
            if title in seen:
                yield f"{place}.fields: '{title}' stands in two sections"
            seen.add(title)


# --- elements


def _element(node: Any, columns: Columns, place: str, *, root: bool = False) -> Iterator[str]:
    if not isinstance(node, dict):
        yield f"{place}: is no element"
        return
    yield from _unknown(node, _PROPERTIES | (_ROOT_ONLY if root else frozenset()), place)
    if node.get("elmType") not in ELEMENTS and "columnFormatterReference" not in node:
        yield f"{place}elmType: '{node.get('elmType')}' is no element"
    if "txtContent" in node:
        yield from _value(node["txtContent"], columns, f"{place}txtContent")
        if node.get("children"):
            yield f"{place}children: are not shown beside txtContent"
    yield from _styles(node.get("style", {}), columns, f"{place}style")
    yield from _attributes(node, columns, f"{place}attributes")
    yield from _extras(node, columns, place, root=root)
    children = node.get("children", [])
    if not isinstance(children, list):
        yield f"{place}children: is no list"
        return
    for index, child in enumerate(children):
        yield from _element(child, columns, f"{place}children.{index}.")


def _styles(styles: Any, columns: Columns, place: str) -> Iterator[str]:
    if not isinstance(styles, dict):
        yield f"{place}: is no object"
        return
    yield from _unknown(styles, STYLES, f"{place}.")
    for name, value in styles.items():
        yield from _value(value, columns, f"{place}.{name}")


def _attributes(node: Mapping[str, Any], columns: Columns, place: str) -> Iterator[str]:
    attributes = node.get("attributes", {})
    if not isinstance(attributes, dict):
        yield f"{place}: is no object"
        return
    yield from _unknown(attributes, ATTRIBUTES, f"{place}.")
    for name, value in attributes.items():
        yield from _value(value, columns, f"{place}.{name}")
    if "href" in attributes and not _leads_to_the_web(attributes["href"]):
        yield f"{place}.href: is not seen to be a web or mail address"
    if "href" in attributes and node.get("elmType") != "a":
        yield f"{place}.href: belongs to an a"
    for name in _class_names(attributes.get("class", "")):
        if not _CLASS.fullmatch(name):
            yield f"{place}.class: '{name}' is no class of SharePoint's"


def _leads_to_the_web(address: Any) -> bool:
    """Only text that begins like an address, or an expression that begins with such text."""
    if not isinstance(address, str):
        return False
    begin = re.match(r"=\s*'([^']*)'", address)
    literal = begin[1] if begin else "" if address.startswith(("=", "@", "[")) else address
    parts = urlsplit(literal)
    return (parts.scheme in ("http", "https") and bool(parts.netloc)) or parts.scheme == "mailto"


def _class_names(value: Any) -> list[str]:
    """Class names of a text, or those an expression can come to."""
    if not isinstance(value, str):
        return []
    if not value.startswith("="):
        return value.split()
    # Texts that are compared with are no classes.
    results = re.sub(r"(==|!=)\s*'[^']*'", "", value)
    return [name for text in re.findall(r"'([^']*)'", results) for name in text.split()]


def _extras(node: Mapping[str, Any], columns: Columns, place: str, *, root: bool) -> Iterator[str]:
    if "forEach" in node and (root or not _FOR_EACH.fullmatch(str(node["forEach"]))):
        yield f"{place}forEach: is not 'name in [$Column]' below the outermost element"
    for name in ("columnFormatterReference", "inlineEditField", "defaultHoverField"):
        if name in node:
            found = _REFERENCE.fullmatch(str(node[name]))
            if not found or found[1] not in columns.kinds:
                yield f"{place}{name}: refers to no column"
    action = node.get("customRowAction")
    if action is not None and (not isinstance(action, dict) or action.get("action") not in _ACTIONS):
        yield f"{place}customRowAction: is no action"
    elif action is not None:
        yield from _unknown(action, frozenset({"action", "actionParams", "actionInput"}), f"{place}customRowAction.")
    if node.get("elmType") == "button" and action is None:
        yield f"{place}customRowAction: a button needs one"
    if "customCardProps" in node:
        yield from _unknown(node["customCardProps"], _CARD, f"{place}customCardProps.")
        yield from _element(node["customCardProps"].get("formatter"), columns, f"{place}customCardProps.formatter.")


# --- values and expressions


def _value(value: Any, columns: Columns, place: str) -> Iterator[str]:
    if isinstance(value, dict):
        yield from _operation(value, columns, place)
    elif isinstance(value, str):
        yield from (f"{place}: {problem}" for problem in _text(value, columns))
    elif not isinstance(value, bool | int | float):
        yield f"{place}: is no value"


def _operation(node: Mapping[str, Any], columns: Columns, place: str) -> Iterator[str]:
    operator, operands = node.get("operator"), node.get("operands")
    if set(node) != {"operator", "operands"} or not isinstance(operands, list):
        yield f"{place}: is no operator with operands"
        return
    name = str(operator).removesuffix("()")
    wanted = 3 if operator in ("?", ":") else 2 if operator in _SIGNS else _FUNCTIONS.get(name)
    if wanted is None or (name in _BRACKETED) != str(operator).endswith("()"):
        yield f"{place}: '{operator}' is no operator"
    elif len(operands) != wanted:
        yield f"{place}: '{operator}' takes {wanted} operands, not {len(operands)}"
    for index, operand in enumerate(operands):
        yield from _value(operand, columns, f"{place}.operands.{index}")


def _text(text: str, columns: Columns) -> Iterator[str]:
    if text.startswith("="):
        yield from _expression(text[1:], columns)
    elif text.startswith(("@", "[$", "[!")):
        yield from _expression(text, columns, only_reference=True)
    elif re.search(r"\[\$\w+|@currentField|@group", text):
        yield f"'{text}' would be shown as it stands: it lacks its ="


def _expression(text: str, columns: Columns, *, only_reference: bool = False) -> Iterator[str]:
    try:
        reader = _Reader(text)
        if only_reference:
            reader.reference()
        else:
            reader.sides(0)
        reader.end()
    except _Unreadable as error:
        yield f"can't be read: {error}"
        return
    for name, count in reader.calls:
        wanted = 3 if name == "if" else _FUNCTIONS.get(name)
        if wanted is None:
            yield f"'{name}' is no operator"
        elif count != wanted:
            yield f"'{name}' takes {wanted} operands, not {count}"
    for path in reader.columns:
        yield from _column(path, columns)
    for special in reader.specials:
        yield from _special(special, columns)


def _column(path: str, columns: Columns) -> Iterator[str]:
    name, _, part = path.partition(".")
    if name not in columns.kinds:
        yield f"[${name}] is no column of the list"
    elif part and columns.kinds[name] not in _PARTS.get(part, ()):
        yield f"[${name}] has no {part}"


def _special(name: str, columns: Columns) -> Iterator[str]:
    head, _, part = name.partition(".")
    if head == "currentField":
        if columns.grouped:
            yield "@currentField stands for nothing in a group's header"
        yield from _column(f"{columns.current}.{part}" if part else columns.current, columns)
    elif not (name in _SPECIALS or (columns.grouped and _GROUP_SPECIALS.fullmatch(name))):
        yield f"@{name} stands for nothing here"


# The lowest binds the loosest.
_LEVELS = (("||",), ("&&",), ("==", "!="), ("<", ">", "<=", ">="), ("+", "-"), ("*", "/", "%"))


@dataclass
class _Reader:
    """Reads one expression from left to right; `columns`, `specials` and `calls` are what it met."""

    text: str
    columns: list[str] = field(default_factory=list)
    specials: list[str] = field(default_factory=list)
    calls: list[tuple[str, int]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._tokens: list[tuple[str, str]] = []
        at = 0
        while self.text[at:].strip():
            found = _TOKEN.match(self.text, at)
            if not found:
                raise _Unreadable(f"'{self.text[at:][:20]}'")
            kind = str(found.lastgroup)
            self._tokens.append((kind, found[kind]))
            at = found.end()
        self._at = 0

    def _peek(self) -> tuple[str, str]:
        return self._tokens[self._at] if self._at < len(self._tokens) else ("end", "the end")

    def _take(self) -> tuple[str, str]:
        token = self._peek()
        self._at += 1
        return token

    def _expect(self, sign: str) -> None:
        kind, text = self._take()
        if kind != "sign" or text != sign:
            raise _Unreadable(f"'{sign}' is expected, not {text}")

    def end(self) -> None:
        """Nothing is left."""
        if self._peek()[0] != "end":
            raise _Unreadable(f"{self._peek()[1]} is one too many")

    def sides(self, level: int) -> None:
        """An operation of this level, or one that binds tighter."""
        self._one(level)
        while self._peek()[0] == "sign" and self._peek()[1] in _LEVELS[level]:
            self._take()
            self._one(level)

    def _one(self, level: int) -> None:
        if level + 1 < len(_LEVELS):
            self.sides(level + 1)
        else:
            self._single()

    def _single(self) -> None:
        if self._peek() in (("sign", "-"), ("sign", "+")):
            self._take()
        kind, text = self._peek()
        if kind in ("column", "special", "title"):
            self.reference()
        elif kind in ("number", "text"):
            self._take()
        elif kind == "name":
            self._take()
            self.calls.append((text, self._operands()))
        elif (kind, text) == ("sign", "("):
            self._take()
            self.sides(0)
            self._expect(")")
        else:
            raise _Unreadable(f"{text} where a value is expected")

    def _operands(self) -> int:
        self._expect("(")
        count = 0
        while self._peek() != ("sign", ")"):
            if count:
                self._expect(",")
            self.sides(0)
            count += 1
        self._take()
        return count

    def reference(self) -> None:
        """One column, title or special value."""
        kind, text = self._take()
        if kind not in ("column", "special", "title"):
            raise _Unreadable(f"{text} is no reference")
        (self.specials if kind == "special" else self.columns).append(text.removeprefix("@"))
