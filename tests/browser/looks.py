"""How a page is looked at: language, width, light or dark; and pictures of it in all of them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any, Literal

from playwright.sync_api import Page

FOLDER = Path(__file__).parents[2] / "build" / "screenshots"
LANGUAGES = ("en", "da")
VIEWPORTS = {360: 740, 1440: 900}  # a small telephone, a usual screen
_LANGUAGE_COOKIE = "sync-language"


@dataclass(frozen=True)
class Look:
    """`str` of it names it: da-360-dark."""

    language: Literal["en", "da"] = "en"
    width: Literal[360, 1440] = 1440
    dark: bool = False

    def __str__(self) -> str:
        return f"{self.language}-{self.width}-{self.scheme}"

    @property
    def scheme(self) -> Literal["light", "dark"]:
        """As CSS calls it."""
        return "dark" if self.dark else "light"

    def options(self) -> dict[str, Any]:
        """For a browser context."""
        return {
            "locale": {"en": "en-GB", "da": "da-DK"}[self.language],
            "viewport": {"width": self.width, "height": VIEWPORTS[self.width]},
            "color_scheme": self.scheme,
            "timezone_id": "Europe/Copenhagen",
            "reduced_motion": "reduce",
        }


LOOKS = [Look(*one) for one in product(LANGUAGES, VIEWPORTS, (False, True))]


_SHOWN = "() => [document.documentElement.lang || 'en', matchMedia('(prefers-color-scheme: dark)').matches]"


def shot(page: Page, name: str, look: Look | str, folder: Path = FOLDER) -> Path:
    """One picture of the whole page as it stands: build/screenshots/NAME-LOOK.png"""
    path = folder / f"{re.sub(r'[^A-Za-z0-9]+', '-', name).strip('-')}-{look}.png"
    page.screenshot(path=path, full_page=True, animations="disabled")
    return path


def shots(page: Page, name: str, languages: Sequence[Literal["en", "da"]] | None = LANGUAGES) -> list[Path]:
    """Pictures in light and dark, narrow and wide, in each of `languages`, for which the page is loaded again; None for
    a page that must not be (it answers a form). The page is left as it was, in its language and size."""
    own, dark, viewport = *page.evaluate(_SHOWN), page.viewport_size
    made: list[Path] = []
    for language in languages or [own]:
        if languages:
            _load_in(page, language)
        made += [shot(page, name, one) for one in _seen(page, language)]
    if languages:
        _load_in(page, own)
    page.emulate_media(color_scheme="dark" if dark else "light")
    if viewport:
        page.set_viewport_size(viewport)
    return made


def _seen(page: Page, language: str) -> Iterator[Look]:
    """Each look while the page has it."""
    for width, dark in product(VIEWPORTS, (False, True)):
        look = Look(language, width, dark)
        page.set_viewport_size(look.options()["viewport"])
        page.emulate_media(color_scheme=look.scheme)
        yield look


def _load_in(page: Page, language: str) -> None:
    page.context.add_cookies([{"name": _LANGUAGE_COOKIE, "value": language, "url": page.url}])
    page.reload()


def assert_no_sideways_scrolling(page: Page) -> None:
    """The document is not wider than the window; the message names what sticks out."""
    wide = sideways(page)
    assert not wide, f"{page.url} is wider than its window: {wide}"


def sideways(page: Page) -> list[str]:
    """What makes the document wider than the window; nothing when it is not. A page still coming in has no width."""
    page.wait_for_load_state()
    return page.evaluate(_STICKING_OUT)


_STICKING_OUT = """() => {
    const width = document.documentElement.clientWidth;
    if (document.documentElement.scrollWidth <= innerWidth) return [];
    const wide = one => one.getBoundingClientRect().left + Math.max(one.offsetWidth ?? 0, one.scrollWidth) > width + 1;
    const found = [...document.body.querySelectorAll("*")].filter(wide);
    const told = found.slice(0, 5).map(one => one.outerHTML.slice(0, 120));
    return [`${document.documentElement.scrollWidth} > ${innerWidth}`, ...told];
}"""
