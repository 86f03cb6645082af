"""An account manager's news in words."""

from __future__ import annotations

from decimal import Decimal

from worker.domain.signals import News, Signal
from worker.wiring.digest_card import news_card


def overdue(at: int = 1, amount: str = "26302.5") -> News:
    return News(Signal.OVERDUE, str(at), f"Kunde {at}", "Anne", Decimal(amount))


LAPSED = News(Signal.LAPSED, "2", "Borte A/S", "Anne")


def test_a_danish_card_is_danish():
    """Amounts as well."""
    card = news_card("default", "da", "Anne Holm", [overdue(), LAPSED])
    assert card.title == "Nyt om dine kunder: Anne Holm"
    assert card.text == "2 ting siden sidst."
    assert card.facts == {"Nyligt forfaldne": "Kunde 1 (26.302,50)", "Køber ikke længere": "Borte A/S"}
    assert card.language == "da"


def test_an_english_card_is_english():
    card = news_card("default", "en", "", [overdue()])
    assert card.title == "News of your customers: nobody's customers"
    assert (card.text, card.facts) == ("One thing since the last time.", {"Newly overdue": "Kunde 1 (26,302.50)"})


def test_the_mail_says_all_of_it_in_lines():
    card = news_card("default", "da", "Anne Holm", [overdue(1), overdue(3), LAPSED])
    assert card.mail.splitlines() == [
        "3 ting siden sidst.",
        "",
        "Nyligt forfaldne",
        "- Kunde 1 (26.302,50)",
        "- Kunde 3 (26.302,50)",
        "",
        "Køber ikke længere",
        "- Borte A/S",
    ]


def test_of_many_the_first_are_named_and_the_rest_counted():
    card = news_card("default", "da", "Anne", [overdue(at) for at in range(40)])
    assert card.facts["Nyligt forfaldne"].endswith("Kunde 14 (26.302,50), og 25 til")
    assert card.mail.splitlines()[-1] == "- og 25 til"
    assert "and 25 more" in news_card("default", "en", "Anne", [overdue(at) for at in range(40)]).mail
