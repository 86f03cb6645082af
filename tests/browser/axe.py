"""Accessibility as axe-core judges it, by WCAG 2.1 A and AA."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any

from playwright.sync_api import Page

TAGS = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa")
_FAILING = ("serious", "critical")
_RUN = """async tags => {
    const found = await axe.run(document, {runOnly: {type: "tag", values: tags}, resultTypes: ["violations"]});
    return found.violations;
}"""


def serious_findings(page: Page) -> list[str]:
    """Findings of serious or critical impact on the page as it stands: rule, and each element with what is wrong."""
    # Evaluated as a debugger does, which a page's Content-Security-Policy does not bind.
    if not page.evaluate("() => typeof axe === 'object'"):
        page.evaluate(_source())
    violations = page.evaluate(_RUN, list(TAGS))
    return [_told(one) for one in violations if one["impact"] in _FAILING]


def assert_accessible(page: Page) -> None:
    """No such finding."""
    found = serious_findings(page)
    assert not found, f"{page.url} is not accessible:\n" + "\n".join(found)


@cache
def _source() -> str:
    return (files("axe_playwright_python") / "axe.min.js").read_text(encoding="utf-8")


def _told(violation: dict[str, Any]) -> str:
    lines = [f"- {violation['impact']}: {violation['id']}: {violation['help']} ({violation['helpUrl']})"]
    for node in violation["nodes"]:
        why = " ".join(node["failureSummary"].split())
        lines.append(f"    {' '.join(map(str, node['target']))}  {node['html'][:160]}\n      {why}")
    return "\n".join(lines)
