"""From page to page. What is read at once (texts of a list, an address) is read on the page that has come in whole;
`expect` alone waits by itself."""

from __future__ import annotations

from playwright.sync_api import Locator


def follow(link: Locator) -> None:
    """Clicks a link or a form's button, and waits until the page it leads to has been loaded."""
    with link.page.expect_navigation():
        link.click()
