"""The words of an account manager's news: one card, in the language of the connection.

Names and amounts are facts; nothing in them is a link.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from babel.numbers import format_decimal

from worker.domain.signals import News, Signal
from worker.ports import Alert

_TOLD = 15  # of one kind in one card
_WORDS: Mapping[Signal, tuple[str, str]] = {
    Signal.OVERDUE: ("Newly overdue", "Nyligt forfaldne"),
    Signal.PAID: ("Just paid", "Netop betalt"),
    Signal.BIG_ORDER: ("Big orders", "Store ordrer"),
    Signal.SLIPPING: ("Slipping: the usual order has not come", "På retur: den sædvanlige ordre er udeblevet"),
    Signal.LAPSED: ("No longer buying", "Køber ikke længere"),
    Signal.BACK: ("Back again", "Tilbage igen"),
}


def news_card(connection: str, language: str, manager: str, news: Sequence[News]) -> Alert:
    """One person's news, by kind: as facts of a card and as the lines of a mail. `language` is da or en."""
    at = 1 if language == "da" else 0
    told = {_WORDS[kind][at]: _lines(kind, news, language, at) for kind in Signal}
    told = {title: lines for title, lines in told.items() if lines}
    who = manager or ("nobody's customers", "kunder uden ansvarlig")[at]
    text = _count(len(news), at)
    return Alert(
        title=(f"News of your customers: {who}", f"Nyt om dine kunder: {who}")[at],
        text=text,
        severity="info",
        connection=connection,
        facts={title: ", ".join(lines) for title, lines in told.items()},
        language=language,
        mail="\n".join([text, *(f"\n{title}\n{_bullets(lines)}" for title, lines in told.items())]),
    )


def _lines(kind: Signal, news: Sequence[News], language: str, at: int) -> list[str]:
    theirs = [one for one in news if one.kind is kind]
    more = len(theirs) - _TOLD
    rest = [(f"and {more} more", f"og {more} til")[at]] if more > 0 else []
    return [*(_line(one, language) for one in theirs[:_TOLD]), *rest]


def _line(one: News, language: str) -> str:
    if one.amount is None:
        return one.name
    return f"{one.name} ({format_decimal(one.amount, format='#,##0.00', locale=language)})"


def _bullets(lines: Sequence[str]) -> str:
    return "\n".join(f"- {line}" for line in lines)


def _count(number: int, at: int) -> str:
    if number == 1:
        return ("One thing since the last time.", "Én ting siden sidst.")[at]
    return (f"{number} things since the last time.", f"{number} ting siden sidst.")[at]
