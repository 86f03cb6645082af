"""What the status text of a company says about its creation in e-conomic, in English and Danish."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

Language = Literal["en", "da"]
_SHOWN = 200  # characters of a fact; more would bury the sentence
_SHOWN_OF_DETAIL = 1000  # a service names every property it refuses
_TEXTS: Mapping[str, tuple[str, str]] = {
    "no-name": ("The company has no name.", "Virksomheden har intet navn."),
    "no-cvr": (
        "CI Number is blank. Fill it in; private persons are created only where the connection allows customers "
        "without a CVR number.",
        "CVR-nummer er tomt. Udfyld det; privatpersoner oprettes kun, hvor forbindelsen tillader kunder uden "
        "CVR-nummer.",
    ),
    "bad-cvr": ("CI Number '{value}' is no Danish CVR number of 8 digits.", "CVR-nummer '{value}' har ikke 8 cifre."),
    "digits": (
        "{what} must have {wanted} digits and nothing else; it has {length} signs.",
        "{what} skal have {wanted} cifre og intet andet; det har {length} tegn.",
    ),
    "too-long": (
        "{what} has {length} characters; e-conomic takes {limit}.",
        "{what} har {length} tegn; e-conomic tager {limit}.",
    ),
    "no-email": ("E-mail '{value}' is no address.", "E-mail '{value}' er ingen adresse."),
    "no-default": (
        "{what} is blank, and the connection has no default for it.",
        "{what} er tom, og forbindelsen har ingen standard for den.",
    ),
    "unknown": ("{what} '{value}' does not exist in e-conomic.", "{what} '{value}' findes ikke i e-conomic."),
    "off": (
        "Creating customers is switched off for this connection. An administrator can switch it on (page New "
        "customers); then choose Requested again.",
        "Oprettelse af kunder er slået fra for denne forbindelse. En administrator kan slå den til (siden Nye kunder); "
        "vælg derefter Requested igen.",
    ),
    "has-number": (
        "The company is customer {number} in e-conomic already; nothing was created. If that is the wrong customer, "
        "correct Customer ID.",
        "Virksomheden er allerede kunde {number} i e-conomic; intet er oprettet. Er det den forkerte kunde, så ret "
        "kundenummeret.",
    ),
    "number-unknown": (
        "The company has the customer number {number} already, and e-conomic has no such customer. Write the right "
        "number as Customer ID, or blank it to have the customer created; then choose Requested again.",
        "Virksomheden har allerede kundenummer {number}, og e-conomic har ingen sådan kunde. Skriv det rigtige nummer "
        "som kundenummer, eller tøm det for at få kunden oprettet; vælg derefter Requested igen.",
    ),
    "similar": (
        "Not created: e-conomic has customer {number} {name} with the same {why}. To link it, write {number} as "
        "Customer ID. If it is somebody else, create it on the page New customers, although e-conomic has one like it.",
        "Ikke oprettet: e-conomic har kunde {number} {name} med samme {why}. Skriv {number} som kundenummer for at "
        "knytte den. Er det en anden, så opret den på siden Nye kunder, selv om e-conomic har en, der ligner.",
    ),
    "similar-taken": (
        "Not created: e-conomic has customer {number} {name} with the same {why}, and the company {company} (item "
        "{item}) has that number. If both are the same, go on with that item. If not, create this one on the page New "
        "customers, although e-conomic has one like it.",
        "Ikke oprettet: e-conomic har kunde {number} {name} med samme {why}, og virksomheden {company} (element "
        "{item}) har det nummer. Er de den samme, så brug det element. Ellers opret denne på siden Nye kunder, selv om "
        "e-conomic har en, der ligner.",
    ),
    "range": (
        "The number {number} is outside the range {first}-{last}. Ask for one inside it, or change the range on the "
        "page New customers.",
        "Nummer {number} er uden for intervallet {first}-{last}. Bed om et inden for det, eller ret intervallet på "
        "siden Nye kunder.",
    ),
    "range-full": (
        "No number is left in the range {first}-{last}. Widen it on the page New customers; then choose Requested "
        "again.",
        "Der er intet nummer tilbage i intervallet {first}-{last}. Udvid det på siden Nye kunder; vælg derefter "
        "Requested igen.",
    ),
    "number-taken": (
        "The number {number} is taken in e-conomic. Ask for another one, or leave the number to the worker.",
        "Nummer {number} er optaget i e-conomic. Bed om et andet, eller lad programmet vælge det.",
    ),
    "refused": ("e-conomic refused the customer: {detail}", "e-conomic afviste kunden: {detail}"),
    "denied": (
        "e-conomic does not let the app create customers. Give the app the role SuperUser or Sales, and check that the "
        "e-conomic plan allows it.",
        "e-conomic lader ikke appen oprette kunder. Giv appen rollen SuperUser eller Sales, og se efter, om "
        "e-conomic-abonnementet tillader det.",
    ),
    "contact-unlinked": (
        "It could not be given the Import ID {key} in the CRM: {detail} Write it there; else the next run makes the "
        "person a second time.",
        "Den kunne ikke få Import-ID {key} i CRM: {detail} Skriv det dér; ellers laver næste kørsel personen en gang "
        "til.",
    ),
    "stopped": (
        "Not created. {detail} {hint} Tell your administrator.",
        "Ikke oprettet. {detail} {hint} Sig det til din administrator.",
    ),
    "stopped-open": (
        "Interrupted. {detail} {hint} Tell your administrator. The customer may have been created already: do not "
        "create it by hand, the next try looks for it first.",
        "Afbrudt. {detail} {hint} Sig det til din administrator. Kunden kan allerede være oprettet: opret den ikke "
        "selv, næste forsøg leder efter den først.",
    ),
    "tokens": (
        "e-conomic refuses the worker's tokens. Tell your administrator; the creation goes on by itself once they are "
        "right.",
        "e-conomic afviser programmets nøgler. Sig det til din administrator; oprettelsen fortsætter af sig selv, når "
        "de er rigtige.",
    ),
    "not-saved": (
        "Created in e-conomic as customer {number}, but SharePoint refused to save the number: {detail} Look at the "
        "list's own rules, or write {number} as Customer ID.",
        "Oprettet i e-conomic som kunde {number}, men SharePoint ville ikke gemme nummeret: {detail} Se på listens "
        "egne regler, eller skriv {number} som kundenummer.",
    ),
    "gone": (
        "The company was deleted from the CRM meanwhile. Fetch it back from the recycle bin to create it.",
        "Virksomheden blev imens slettet i CRM. Hent den fra papirkurven for at oprette den.",
    ),
    "gone-made": (
        "Customer {number} was created in e-conomic, but the company was deleted from the CRM meanwhile. Fetch it back "
        "from the recycle bin, and it gets the number; else the next run makes a company for the customer.",
        "Kunde {number} blev oprettet i e-conomic, men virksomheden blev imens slettet i CRM. Hent den fra "
        "papirkurven, så får den nummeret; ellers laver næste kørsel en virksomhed til kunden.",
    ),
    "number-carried": (
        "Another company of the CRM carries the number {number}. Choose another number.",
        "En anden virksomhed i CRM har nummer {number}. Vælg et andet nummer.",
    ),
    "number-elsewhere": (
        "Customer {number} was created in e-conomic, but another company of the CRM carries that number. Bar the "
        "customer there if that one is right, or take the number off that company and choose Requested again.",
        "Kunde {number} blev oprettet i e-conomic, men en anden virksomhed i CRM har det nummer. Spær kunden "
        "dér, hvis den virksomhed er den rigtige, eller fjern nummeret fra den og vælg Requested igen.",
    ),
    "withdrawn": (
        "Not created: the request was taken back. Choose Requested to create the customer after all.",
        "Ikke oprettet: anmodningen blev trukket tilbage. Vælg Requested for at oprette kunden alligevel.",
    ),
    "creating": ("Being created.", "Er ved at blive oprettet."),
    "created": (
        "Created in e-conomic as customer {number} on {day}.",
        "Oprettet i e-conomic som kunde {number} den {day}.",
    ),
    "contact": ("Contact {name} was created too.", "Kontakten {name} blev også oprettet."),
    "contact-refused": (
        "Contact {name} was not created: {detail} Create it in e-conomic.",
        "Kontakten {name} blev ikke oprettet: {detail} Opret den i e-conomic.",
    ),
    "again": ("Choose Requested to try again.", "Vælg Requested for at prøve igen."),
    "other-number": (
        "Customer {number} was created in e-conomic, but meanwhile somebody gave the company another number. Write the "
        "right one as Customer ID, and bar the other customer in e-conomic.",
        "Kunde {number} blev oprettet i e-conomic, men imens gav nogen virksomheden et andet nummer. Skriv det rigtige "
        "som kundenummer, og spær den anden kunde i e-conomic.",
    ),
}
_WHY: Mapping[str, tuple[str, str]] = {
    "cvr": ("CVR number", "CVR-nummer"),
    "email": ("e-mail", "e-mail"),
    "name": ("name", "navn"),
}
_COLUMNS: Mapping[str, tuple[str, str]] = {
    "Title": ("Name", "Navn"),
    "CINumber": ("CI Number", "CVR-nummer"),
    "EAN": ("EAN", "EAN-nummer"),
    "PNumber": ("P number", "P-nummer"),
    "Address": ("Address", "Adresse"),
    "Zip": ("Zip", "Postnr"),
    "City": ("City", "By"),
    "Country": ("Country", "Land"),
    "EMail": ("E-mail", "E-mail"),
    "Phone": ("Phone", "Telefon"),
    "Mobile": ("Mobile", "Mobil"),
    "Website": ("Website", "Hjemmeside"),
    "VATNumber": ("VAT Number", "Momsnummer"),
    "CustomerGroup": ("Customer group", "Kundegruppe"),
    "PaymentTerms": ("Payment terms", "Betalingsbetingelser"),
    "VATZone": ("VAT zone", "Momszone"),
    "CurrencyCode": ("Currency", "Valuta"),
}


@dataclass(frozen=True)
class Text:
    """A sentence to be said: its code and what fills it. `what` is a column, `why` what two customers share."""

    code: str
    facts: Mapping[str, object] = field(default_factory=dict)


def said(texts: Iterable[Text], language: Language = "en") -> str:
    """All sentences one after the other. Raises KeyError for an unknown code."""
    at = 1 if language == "da" else 0
    return " ".join(_sentence(text, at) for text in texts)


def _sentence(text: Text, at: int) -> str:
    return " ".join(_TEXTS[text.code][at].format_map(_facts(text.facts, at)).split())  # a fact may be blank


def _facts(facts: Mapping[str, object], at: int) -> dict[str, str]:
    named = {
        "what": lambda value: _COLUMNS[value][at],
        "why": lambda value: _WHY[value][at],
    }
    return {name: _short(named[name](str(value)) if name in named else value, name) for name, value in facts.items()}


def _short(value: object, name: str) -> str:
    text = " ".join(str(value).split())
    most = _SHOWN_OF_DETAIL if name == "detail" else _SHOWN
    return text if len(text) <= most else f"{text[: most - 1]}…"
