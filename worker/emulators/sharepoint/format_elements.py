"""Elements of SharePoint's list formatting as HTML, by allow-lists only: names, attributes, styles, addresses.

The lists are the documented ones (formatting syntax reference: elmType, style, attributes; column formatting, "Create
clickable actions": no address but http, https and mailto). A formatter is text that anybody who manages views may
write, and values are anybody's, so nothing of either becomes markup.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from html import escape
from typing import Any
from urllib.parse import urlsplit

from worker.emulators.sharepoint.format_expressions import FormatError, to_text, value_of
from worker.emulators.sharepoint.format_values import Scope
from worker.emulators.sharepoint.html import Markup, join

MAX_DEPTH = 24
_TAGS = frozenset({"div", "span", "a", "img", "svg", "path", "button", "p"})
_ATTRIBUTE_NAMES = """
    href rel src class target title role iconName d aria data-interception viewBox preserveAspectRatio draggable
"""
_ATTRIBUTES = frozenset(_ATTRIBUTE_NAMES.split())
# Attributes that go into the page as text; the others are looked at one by one, or have no use here.
_AS_TEXT = frozenset({"title", "role", "d", "viewBox", "preserveAspectRatio"})
_STYLE_NAMES = """
    background-color fill border border-bottom border-bottom-color border-bottom-style border-bottom-width
    border-color border-left border-left-color border-left-style border-left-width border-right
    border-right-color border-right-style border-right-width border-style border-top border-top-color
    border-top-style border-top-width border-width outline outline-color outline-style outline-width
    border-bottom-left-radius border-bottom-right-radius border-radius border-top-left-radius
    border-top-right-radius box-shadow box-sizing overflow-x overflow-y opacity cursor height max-height
    max-width min-height min-width width flex-grow flex-shrink flex-flow flex-direction flex-wrap flex
    justify-content align-items font font-family font-size font-style font-variant font-weight margin
    margin-bottom margin-left margin-right margin-top padding padding-bottom padding-left padding-right
    padding-top clear display float overflow visibility color direction letter-spacing line-height text-align
    text-decoration text-indent text-transform vertical-align white-space word-spacing text-overflow text-shadow
    word-break word-wrap stroke fill-opacity background-image bottom left position right top z-index
"""
_STYLES = frozenset(_STYLE_NAMES.split())
# Allowed by SharePoint, and dropped here: they could cover the page or fetch something.
_DROPPED = frozenset({"background-image", "bottom", "left", "position", "right", "top", "z-index"})
_STYLE_VALUE = re.compile(r"^[\w\s#%.,+\-!/()]*$")
_FETCHING = re.compile(r"(url|image|expression|attr|element)\s*\(", re.IGNORECASE)
_CLASS = re.compile(r"^[A-Za-z0-9_–-]+$")


def draw(node: Any, scope: Scope, depth: int = 0) -> Markup:
    """An element with everything in it. Raises FormatError for what SharePoint refuses or this does not draw."""
    if not isinstance(node, dict):
        raise FormatError("an element is no object")
    if depth > MAX_DEPTH:
        raise FormatError("elements are nested too deeply")
    tag = node.get("elmType")
    if not isinstance(tag, str) or tag not in _TAGS:
        raise FormatError(f"'{tag}' is no element")
    for name in ("forEach", "customCardProps", "columnFormatterReference", "inlineEditField"):
        if name in node:
            raise FormatError(f"{name} is not drawn here")
    marks = "".join(f' {name}="{escape(value)}"' for name, value in _marks(node, scope).items())
    return Markup(f"<{tag}{marks}>{_content(node, scope, depth)}</{tag}>" if tag != "img" else f"<img{marks}>")


def _content(node: Mapping[str, Any], scope: Scope, depth: int) -> Markup:
    """Text wins over children."""
    if "txtContent" in node:
        return join(to_text(value_of(node["txtContent"], scope)))
    children = node.get("children", [])
    if not isinstance(children, list):
        raise FormatError("children is no list")
    return join(*[draw(child, scope, depth + 1) for child in children])


def _marks(node: Mapping[str, Any], scope: Scope) -> dict[str, str]:
    """The element's attributes as they go into the page."""
    given = {name: to_text(value_of(value, scope)) for name, value in _object(node, "attributes").items()}
    strange = sorted(set(given) - _ATTRIBUTES)
    if strange:
        raise FormatError(f"'{strange[0]}' is no attribute")
    found = {name: value for name, value in given.items() if name in _AS_TEXT and value}
    if classes := [name for name in given.get("class", "").split() if _CLASS.match(name)]:
        found["class"] = " ".join(classes)
    if node["elmType"] == "a" and is_safe_address(given.get("href", "")):
        found["href"] = given["href"]
        if given.get("target") == "_blank":
            found |= {"target": "_blank", "rel": "noopener noreferrer"}
    if node["elmType"] == "button":
        found["type"] = "button"
    if style := _style(node, scope):
        found["style"] = style
    return found


def _object(node: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = node.get(name, {})
    if not isinstance(found, dict):
        raise FormatError(f"{name} is no object")
    return found


def _style(node: Mapping[str, Any], scope: Scope) -> str:
    parts = []
    for name, value in _object(node, "style").items():
        if name not in _STYLES:
            raise FormatError(f"'{name}' is no style")
        text = to_text(value_of(value, scope)).strip()
        if text and name not in _DROPPED and _STYLE_VALUE.match(text) and not _FETCHING.search(text):
            parts.append(f"{name}:{text}")
    return ";".join(parts)


def is_safe_address(address: str) -> bool:
    """Whether a link may lead there: the web, mail, or a path of this site."""
    if not address or any(ord(letter) < 33 for letter in address):
        return False
    try:
        scheme = urlsplit(address).scheme.lower()
    except ValueError:
        return False
    if scheme:
        return scheme in ("http", "https", "mailto")
    # Two slashes, in either lean, are another host.
    return not re.match(r"^[/\\]{2}", address) and ":" not in address.split("/")[0]


def for_column(scope: Scope, internal: str) -> Scope:
    """The same row, seen from one column."""
    return replace(scope, current=internal)
