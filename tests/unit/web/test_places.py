"""Where a problem is: in the reader's language, and by the label of what can be typed on the page."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.support import catalogue
from worker.web import texts
from worker.web.texts import texts_for

DANISH = {
    "profile 'Customers' (row 3), column Schedule": "profil 'Customers' (række 3), kolonne Tidsplan",
    "profile 'Customers', column City": "profil 'Customers', kolonne City",
    "profile 'One, column Two', column Order": "profil 'One, column Two', kolonne Rækkefølge",
    "profiles 'A' and 'B'": "profilerne 'A' og 'B'",
    "profile, column Mapping": "profil, kolonne Felter",
    "Customers: list CRM Company, column EAN": "Customers: liste CRM Company, kolonne EAN",
    "C: list CRM Company, column EAN (set to 'Ean2')": "C: liste CRM Company, kolonne EAN (sat til 'Ean2')",
    "list of companies, column CustomerID": "listen over virksomheder, kolonne CustomerID",
    "list Invoice": "liste Invoice",
    "column Balance": "kolonne Balance",
    "plan of 'Customers'": "plan for 'Customers'",
    "ENGINE_PUBLIC_URL": "ENGINE_PUBLIC_URL",
    "SHAREPOINT_SITE_URL": "SharePoint-websted (SHAREPOINT_SITE_URL)",
    "connection 'acme', ECONOMIC_GRANT_TOKEN": "forbindelse 'acme', Adgangstoken (ECONOMIC_GRANT_TOKEN)",
}
TEMPLATES = Path(texts.__file__).parent / "templates"
# Not for a person at a page: variables, commands' arguments, files, and what is a name altogether.
NO_WORDS = re.compile(r"[A-Z_]+|SYNC_\{a\}_SCHEDULE|\{a\}(=\{b\}|, key \{b\}| for \{b\})?")


@pytest.mark.parametrize(("where", "danish"), DANISH.items())
def test_a_place_is_danish_on_danish_pages(where, danish):
    """But titles and names of columns of people's lists."""
    assert texts_for("da", "").place(where) == danish


@pytest.mark.parametrize("where", [where for where in DANISH if "_" not in where])
def test_a_place_is_as_the_worker_names_it_on_english_pages(where):
    assert texts_for("en", "").place(where) == where


@pytest.mark.parametrize(
    ("where", "shown"),
    [
        ("SHAREPOINT_SITE_URL", "SharePoint site (SHAREPOINT_SITE_URL)"),
        ("connection 'a', ECONOMIC_AGREEMENT", "connection 'a', Agreement number (ECONOMIC_AGREEMENT)"),
        ("ACME_ECONOMIC_GRANT_TOKEN", "ACME_ECONOMIC_GRANT_TOKEN"),
    ],
)  # fmt: skip
def test_what_can_be_typed_goes_by_its_label_with_the_variable_behind_it(where, shown):
    assert texts_for("en", "").place(where) == shown


def test_a_sentence_that_names_a_variable_says_which_field_it_is():
    told = "Check SHAREPOINT_SITE_URL."
    assert texts_for("en", "").sentence(told) == "Check SharePoint site (SHAREPOINT_SITE_URL)."
    assert texts_for("da", "").sentence(told) == "Kontrollér SharePoint-websted (SHAREPOINT_SITE_URL)."
    assert texts_for("da", "").sentence("list nothing anybody wrote") == "list nothing anybody wrote"


def test_no_place_of_a_problem_is_left_in_english():
    """Every literal one of the sources."""
    danish = texts_for("da", "")
    places = catalogue.places()
    assert len(places) > 25
    left = {where for where in places if danish.place(where) == where and not NO_WORDS.fullmatch(where)}
    assert left == set()


@pytest.mark.parametrize("template", sorted(TEMPLATES.glob("*.html")), ids=lambda path: path.name)
def test_pages_say_places_as_places(template):
    """Not as sentences, which would leave them English."""
    text = template.read_text(encoding="utf-8")
    assert len(re.findall(r"\.where\b", text)) == len(re.findall(r"t\.place\([\w.\[\]]*\.where\)", text))
