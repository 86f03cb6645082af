"""Every page that the navigation leads to, in every look: there, small, no wider than its window, and accessible.

The pages are found, not listed: a new entry of the navigation is tested from its first day.
"""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page

from tests.browser.axe import serious_findings
from tests.browser.looks import LOOKS, shot, sideways
from tests.browser.watch import Sizes
from worker.domain.report import RunMode
from worker.engine.terms import StartRequest

_NAVIGATION = "nav a[href]"


@pytest.fixture(scope="module")
def history():
    """A plan that was only made and a run that was applied, so that the pages have something to show."""

    def happened(live):
        for mode in (RunMode.PLAN, RunMode.APPLY):
            job, _ = live.host.engine.start(StartRequest("default", mode=mode))
            assert live.finished(job).state.value == "Done"

    return happened


def found_pages(page: Page) -> list[str]:
    """Paths of the navigation's links, each page once, whatever the language."""
    links = page.locator(_NAVIGATION).evaluate_all("all => all.map(one => one.href)")
    ours = [urlsplit(link) for link in links if urlsplit(link).netloc == urlsplit(page.url).netloc]
    kept = [part for part in ours if "lang=" not in part.query]
    return list(dict.fromkeys(f"{part.path}?{part.query}".rstrip("?") for part in kept))


def _name(path: str) -> str:
    """For its pictures."""
    return path.removeprefix("/manage/").partition("?")[0]


def _problems(page: Page, path: str, look) -> list[str]:
    answer = page.goto(path)
    if not answer.ok:
        return [f"{path}: answers {answer.status}"]
    shot(page, _name(path), look)
    found: list[str] = []
    if (language := page.locator("html").get_attribute("lang")) != look.language:
        found.append(f"is in {language}")
    if page.locator("h1").count() != 1 or not page.title():
        found.append("needs a title and one first heading")
    return [f"{path}: {one}" for one in [*found, *sideways(page), *serious_findings(page)]]


@pytest.mark.parametrize("look", LOOKS, ids=str)
def test_every_page_of_the_navigation_is_fit_to_be_seen(new_page, watch, look):
    page = new_page(look)
    paths = found_pages(page)
    assert len(paths) >= 7, "the navigation was not found"
    problems = [problem for path in paths for problem in _problems(page, path, look)]
    assert not problems, "\n".join(problems)
    Sizes(watch).assert_small()
