"""What people read, in their language: gettext catalogues, and numbers, money and moments as the locale writes them.

Catalogues are plain `.po` files below `locale/`, one for each room of pages, compiled in memory when the process
starts: no build step, and no binary that could differ from its source. English is the language of the sources
themselves.
"""

from __future__ import annotations

import gettext
import io
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

from babel import Locale, dates, numbers
from babel.core import UnknownLocaleError, negotiate_locale
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from worker.domain.profile_row import COLUMNS
from worker.domain.reasons import Language
from worker.domain.render.values import plain
from worker.domain.values import Value

LANGUAGES: Mapping[Language, str] = {"en": "English", "da": "Dansk"}
_PART = re.compile(r"\{(\w+)\}")
_FOLDER = Path(__file__).parent / "locale"
# British order of day and month: people here write 25 Nov, whichever of the two languages they read.
_LOCALES: Mapping[Language, str] = {"en": "en_GB", "da": "da_DK"}
# What can be typed on the page of a connection: variable -> the field's label there.
FIELDS: Mapping[str, str] = {
    "ECONOMIC_AGREEMENT": "Agreement number",
    "ECONOMIC_GRANT_TOKEN": "Grant token",
    "SHAREPOINT_LISTS": "Lists with names of their own",
    "SHAREPOINT_SITE_URL": "SharePoint site",
    "SYNC_FINANCIAL_YEAR_START": "Financial year starts",
}
_VARIABLE = re.compile(rf"\b({'|'.join(FIELDS)})\b")
# How problems name where they are, without the column; of two that fit, the first.
PLACES = (
    "profiles '{a}' and '{b}'",
    "profile '{a}' (row {b})",
    "plan of '{a}'",
    "connection '{a}'",
    "profile '{a}'",
    "{a}: list {b}",
    "settings, [sharepoint.{a}]",
    "address of {a}",
    "list of companies",
    "list {a}",
    "item {a}",
    "run {a}",
    "SharePoint rights",
    "SharePoint lists",
    "economy address",
    "connection",
    "profiles",
    "profile",
    "number",
    "title",
    "form",
    "rows",
)
# Behind these: the logical column, and what a setting says that it is called.
COLUMN_PLACES = ("column {a} (set to '{b}')", "column {a}")
_DISPLAYS = frozenset(display for display, _ in COLUMNS.values())


class Texts:
    """One language. Times are shown in `zone`."""

    def __init__(self, language: Language, zone: str = "Europe/Copenhagen") -> None:
        self.language = language
        self.locale = Locale.parse(_LOCALES[language])
        self._zone = ZoneInfo(zone)
        self._catalogue = _catalogue(language)

    def __call__(self, text: str, **values: object) -> str:
        """The sentence in this language, with `{name}` parts filled in."""
        found = self._catalogue.gettext(text) if text else text
        return found.format(**values) if values else found

    def sentence(self, text: str) -> str:
        """A sentence that the worker wrote in English with names and numbers in it: the catalogue's `{name}` parts
        stand for them. One that the catalogue does not have stays English. What can be typed on a page goes by its
        label there, as in `place`."""
        return _VARIABLE.sub(lambda found: self._field(found[0]), self._translated(text))

    def _translated(self, text: str) -> str:
        exact = self.gettext(text)
        if exact != text or self.language == "en":
            return exact
        for pattern, danish in _patterns(self.language):
            match = pattern.fullmatch(text)
            if match:
                return _filled(danish, match.groupdict())
        return text

    def place(self, where: str) -> str:
        """Where a problem is (`errors.Problem.where`). What can be typed on the page of a connection goes by its label
        there, with the variable behind it for the operator; titles of profiles and names of columns of lists stay."""
        head, _, variable = where.rpartition(", ")
        if variable in FIELDS:
            field = self._field(variable)
            return f"{self._one_of(PLACES, head)}, {field}" if head else field
        head, mark, column = where.rpartition(", column ")
        if not mark:
            return self._one_of((*PLACES, *COLUMN_PLACES), where)
        # A column of the list of profiles is called as on the page; another one as in its list.
        shown = self.gettext(column) if head.startswith("profile") and column in _DISPLAYS else column
        return f"{self._one_of(PLACES, head)}, {self._one_of(COLUMN_PLACES, f'column {shown}')}"

    def _field(self, variable: str) -> str:
        return f"{self.gettext(FIELDS[variable])} ({variable})"

    def _one_of(self, forms: Sequence[str], text: str) -> str:
        for form in forms:
            match = _pattern(form).fullmatch(text)
            if match:
                return _filled(self.gettext(form), match.groupdict())
        return self.gettext(text)

    def gettext(self, text: str) -> str:
        """For Jinja: the sentence alone."""
        return self._catalogue.gettext(text) if text else text

    def ngettext(self, one: str, many: str, number: int) -> str:
        """For Jinja: the form that fits the number."""
        return self._catalogue.ngettext(one, many, number)

    def number(self, value: float | Decimal | None, digits: int = 0) -> str:
        """With the locale's separators; nothing for nothing."""
        if value is None:
            return ""
        pattern = "#,##0" + (f".{'0' * digits}" if digits else "")
        return numbers.format_decimal(value, format=pattern, locale=self.locale)

    def money(self, value: Decimal | None, currency: str = "") -> str:
        """Two digits; the currency's code behind it when given."""
        text = self.number(value, 2)
        return f"{text} {currency}".rstrip() if text else ""

    def percent(self, value: Decimal | float | None) -> str:
        """A share of one, with its sign's own spelling."""
        return "" if value is None else numbers.format_percent(value, format="#,##0 %", locale=self.locale)

    def day(self, value: date | None) -> str:
        """Day, short month, year."""
        return "" if value is None else dates.format_date(value, "medium", self.locale)

    def moment(self, value: datetime | None) -> str:
        """Day and time in the zone."""
        if value is None:
            return ""
        aware = value if value.tzinfo else value.replace(tzinfo=UTC)
        return dates.format_datetime(aware, "d MMM y HH:mm", tzinfo=self._zone, locale=self.locale)

    def moment_of(self, text: str) -> str:
        """A moment that was kept as ISO text."""
        return self.moment(datetime.fromisoformat(text))

    def day_of(self, text: str) -> str:
        """A day that was kept as ISO text."""
        return self.day(date.fromisoformat(text))

    def amount(self, text: str | None) -> str:
        """An amount that was kept as plain digits."""
        return "" if text is None else self.money(Decimal(text))

    def weekday(self, value: datetime) -> str:
        """Weekday, day and time in the zone."""
        return dates.format_datetime(value, "EEE d MMM y HH:mm", tzinfo=self._zone, locale=self.locale)

    def month(self, value: date) -> str:
        """The month's short name."""
        return dates.format_date(value, "LLL", self.locale)

    def value(self, value: Value) -> str:
        """Any value of a list or of e-conomic; nothing for nothing. Texts on one line, without unseen marks."""
        match value:
            case None:
                return ""
            case bool():
                return self("yes") if value else self("no")
            case Decimal():
                exponent = value.as_tuple().exponent
                return self.number(value, -exponent if isinstance(exponent, int) and exponent < 0 else 0)
            case datetime():
                return self.moment(value)
            case date():
                return self.day(value)
            case _:
                return plain(str(value))

    def span(self, seconds: float) -> str:
        """How long something took or will take."""
        if seconds < 1:
            return self("less than a second")
        return dates.format_timedelta(timedelta(seconds=seconds), threshold=1.5, locale=self.locale)


def texts_for(language: str | None, accepted: str, zone: str = "Europe/Copenhagen") -> Texts:
    """The chosen language if there is one of that name, else the best the browser accepts, else English."""
    known = next((one for one in LANGUAGES if one == language), None)
    return Texts(known or _negotiated(accepted), zone)


@cache
def _negotiated(accepted: str) -> Language:
    wanted = [part.partition(";")[0].strip() for part in accepted.split(",")[:20]]
    names: Sequence[str] = [name.replace("-", "_") for name in wanted if name.replace("-", "").isalnum()]
    try:
        found = negotiate_locale([name.partition("_")[0] for name in names], list(LANGUAGES))
    except (ValueError, UnknownLocaleError):
        return "en"
    return next((one for one in LANGUAGES if one == found), "en")


@cache
def _patterns(language: Language) -> list[tuple[re.Pattern[str], str]]:
    """Catalogue sentences with `{name}` parts, those with more words of their own first. Names of places are none:
    they would take any sentence that begins with the same word."""
    texts = {str(one.id): str(one.string) for one in _messages(language) if isinstance(one.id, str) and "{" in one.id}
    texts = {text: found for text, found in texts.items() if text not in (*PLACES, *COLUMN_PLACES)}
    return [(_pattern(key), text) for key, text in sorted(texts.items(), key=lambda pair: -len(pair[0]))]


def _filled(sentence: str, values: Mapping[str, str]) -> str:
    """Other braces, as in examples of JSON, are left alone."""
    return _PART.sub(lambda part: values.get(part[1], part[0]), sentence)


def _pattern(sentence: str) -> re.Pattern[str]:
    parts = _PART.split(sentence)
    return re.compile(
        "".join(re.escape(part) if at % 2 == 0 else f"(?P<{part}>.+?)" for at, part in enumerate(parts)), re.DOTALL
    )


@cache
def _catalogue(language: Language) -> gettext.NullTranslations:
    if language == "en":
        return gettext.NullTranslations()
    compiled = io.BytesIO()
    write_mo(compiled, _messages(language))
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)


@cache
def _messages(language: Language) -> Catalog:
    catalogue = Catalog(language)
    for path in sorted((_FOLDER / language).glob("*.po")):
        with path.open("rb") as file:
            for message in read_po(file, language):
                if message.id:
                    catalogue[message.id] = message
    return catalogue
