"""Why a row was left out, failed or flagged: codes with a sentence and a hint, in English and Danish."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Language = Literal["en", "da"]
_SHOWN = 120  # characters of a fact; more would bury the sentence


@dataclass(frozen=True, slots=True)
class Reason:
    """`{fact}` in a sentence is filled from the row's facts."""

    code: str
    english: str
    danish: str
    hint_english: str
    hint_danish: str


_NEXT = ("Nothing to do: the next run tries again.", "Intet at gøre: næste kørsel prøver igen.")
_SHORTEN = (
    "Shorten it in e-conomic, or let the profile shorten this column.",
    "Forkort teksten i e-conomic, eller lad profilen afkorte kolonnen.",
)
_MAPPING = ("Correct the mapping or the value in e-conomic.", "Ret feltopsætningen eller værdien i e-conomic.")

_TABLE: tuple[Reason, ...] = (
    Reason(
        "key-blank",
        "The key column {column} would be blank.",
        "Nøglekolonnen {column} ville blive tom.",
        "Choose a key field that every row has.",
        "Vælg et nøglefelt, som alle rækker har.",
    ),
    Reason(
        "key-duplicate-source",
        "The key {key} occurs more than once in e-conomic; only the first row was used.",
        "Nøglen {key} findes flere gange i e-conomic; kun den første række blev brugt.",
        "Choose a key field that is unique.",
        "Vælg et nøglefelt, der er entydigt.",
    ),
    Reason(
        "key-ambiguous",
        "Several items carry the key {key}: items {items}. Nothing was written.",
        "Flere elementer har nøglen {key}: elementerne {items}. Intet blev skrevet.",
        "Merge these items in the CRM, or clear the key on all but one.",
        "Flet elementerne i CRM, eller fjern nøglen fra alle på nær ét.",
    ),
    Reason(
        "too-long",
        "The text for {column} has {length} characters; the column holds {limit}.",
        "Teksten til {column} har {length} tegn; kolonnen kan rumme {limit}.",
        *_SHORTEN,
    ),
    Reason(
        "not-a-choice",
        "{column} does not offer the value '{value}'. It offers: {allowed}.",
        "{column} har ikke værdien '{value}'. Den har: {allowed}.",
        "Add the choice to the column, or convert the value in the profile.",
        "Tilføj valget til kolonnen, eller omsæt værdien i profilen.",
    ),
    Reason(
        "wrong-type",
        "{column} needs {expected}, but the value is '{value}'.",
        "{column} kræver {expected}, men værdien er '{value}'.",
        *_MAPPING,
    ),
    Reason(
        "required-blank",
        "The required column {column} would be blank.",
        "Den påkrævede kolonne {column} ville blive tom.",
        "Fill the field in e-conomic, or give the profile a default.",
        "Udfyld feltet i e-conomic, eller giv profilen en standardværdi.",
    ),
    Reason(
        "company-missing",
        "There is no company with Customer ID {customer} in the CRM yet.",
        "Der er endnu ingen virksomhed med Customer ID {customer} i CRM.",
        "Run the company profile first; this row heals by itself.",
        "Kør virksomhedsprofilen først; rækken retter sig selv.",
    ),
    Reason(
        "being-created",
        "Customer {customer} is just being created from the CRM; its company gets the number by itself.",
        "Kunde {customer} er ved at blive oprettet fra CRM; virksomheden får selv nummeret.",
        *_NEXT,
    ),
    Reason(
        "maybe-known",
        "Customer {customer} may be company {items} of the CRM, which has the same CVR or EAN number but no customer "
        "number. No second company is made.",
        "Kunde {customer} kan være virksomhed {items} i CRM, som har samme CVR- eller EAN-nummer, men intet "
        "kundenummer. Der oprettes ikke en virksomhed til.",
        "Say yes or no: page Link companies, or economic-sync link --accept ITEM=NUMBER.",
        "Svar ja eller nej: siden Kobl virksomheder, eller economic-sync link --accept ELEMENT=NUMMER.",
    ),
    Reason(
        "maybe-renumbered",
        "Customer {customer} may be one whose number was changed (was {old}). No second company is made.",
        "Kunde {customer} kan være en, hvis nummer er ændret (var {old}). Der oprettes ikke en virksomhed til.",
        "Say yes or no: page Link companies, or economic-sync link --renumbered OLD=NEW.",
        "Svar ja eller nej: siden Kobl virksomheder, eller economic-sync link --renumbered OLD=NEW.",
    ),
    Reason(
        "maybe-other",
        "Customer {customer} has another name than its company, and other details: the number may have been given to "
        "somebody else. Nothing was written.",
        "Kunde {customer} har et andet navn end sin virksomhed og andre oplysninger: nummeret kan være givet til en "
        "anden. Intet blev skrevet.",
        "Say if they are the same: page Link companies, or economic-sync link --renumbered NUMBER=NUMBER (no: "
        "--not-renumbered).",
        "Svar, om det er den samme: siden Kobl virksomheder, eller economic-sync link --renumbered NUMMER=NUMMER (nej: "
        "--not-renumbered).",
    ),
    Reason(
        "number-waits",
        "The number {customer} still belongs to another customer's company, which waits for an answer about customer "
        "{asked}.",
        "Nummeret {customer} hører stadig til en anden kundes virksomhed, som venter på et svar om kunde {asked}.",
        "Say yes or no about that customer on the page Link companies; the next run goes on.",
        "Svar ja eller nej om den kunde på siden Kobl virksomheder; næste kørsel går videre.",
    ),
    Reason(
        "number-reused",
        "e-conomic gave the number {customer} to somebody else; the company that carries it is another customer's. "
        "Nothing was written over it.",
        "e-conomic har givet nummeret {customer} til en anden; virksomheden med nummeret er en anden kundes. "
        "Den blev ikke overskrevet.",
        "Run the profile that makes companies (Import & Update, missing ones flagged): it makes a new one.",
        "Kør profilen, der opretter virksomheder (Import & Update, manglende markeres): den opretter en ny.",
    ),
    Reason(
        "company-waits",
        "The company of customer {customer} waits for a person's answer; this row waits with it.",
        "Virksomheden for kunde {customer} venter på et svar fra en person; rækken venter med den.",
        "Say yes or no on the page Link companies; the row follows by itself.",
        "Svar ja eller nej på siden Kobl virksomheder; rækken følger af sig selv.",
    ),
    Reason(
        "company-planned",
        "The company with Customer ID {customer} is created by the same plan; this row follows.",
        "Virksomheden med Customer ID {customer} oprettes i samme plan; rækken følger efter.",
        "Nothing to do: a run writes both, a plan file needs a second plan.",
        "Intet at gøre: en kørsel skriver begge, en planfil kræver en plan mere.",
    ),
    Reason(
        "company-ambiguous",
        "Several companies carry Customer ID {customer}: items {items}.",
        "Flere virksomheder har Customer ID {customer}: elementerne {items}.",
        "Merge these companies in the CRM, or clear Customer ID on all but one.",
        "Flet virksomhederne i CRM, eller fjern Customer ID fra alle på nær én.",
    ),
    Reason(
        "ambiguous-customer-id",
        "Customer ID {customer} stands on several companies: items {items}. Nothing was written.",
        "Customer ID {customer} står på flere virksomheder: elementerne {items}. Intet blev skrevet.",
        "Merge these companies in the CRM, or clear Customer ID on all but one.",
        "Flet virksomhederne i CRM, eller fjern Customer ID fra alle på nær én.",
    ),
    Reason("lookup-failed",
           "The item with the key {key} could not be looked up; that counts as not known, never as absent.",
           "Elementet med nøglen {key} kunne ikke slås op; det regnes for ukendt, ikke for fraværende.", *_NEXT),
    Reason("filtered", "The profile's filter leaves this row out.", "Profilens filter udelader rækken.",
           "Widen the filter if it should be included.", "Udvid filteret, hvis rækken skal med."),
    Reason("exists", "The item exists; Import never changes existing items.",
           "Elementet findes; Import ændrer aldrig eksisterende elementer.",
           "Use Import & Update if it should be updated.", "Brug Import & Update, hvis det skal opdateres."),
    Reason("unmatched", "No item carries this key; Update never creates.",
           "Intet element har denne nøgle; Update opretter aldrig.",
           "Run the profile that creates these items.", "Kør den profil, der opretter elementerne."),
    Reason(
        "missing-in-erp",
        "{key} is no longer in e-conomic; the item was kept and flagged.",
        "{key} findes ikke længere i e-conomic; elementet er bevaret og markeret.",
        "Decide whether the item should stay. For a person, look at the privacy rules.",
        "Afgør, om elementet skal blive. For en person: se på reglerne for persondata.",
    ),
    Reason("changed-meanwhile", "Somebody saved the item while the run was writing, twice.",
           "Nogen gemte elementet, mens kørslen skrev, to gange.", *_NEXT),
    Reason("changed-since-plan", "What would be written is no longer what the plan showed; nothing was written.",
           "Det, der ville blive skrevet, er ikke længere det, planen viste; intet blev skrevet.",
           "Make a new plan, look at this row, and apply that.", "Lav en ny plan, se på rækken, og anvend den."),
    Reason("gone", "Item {item} was deleted while the run was writing.",
           "Element {item} blev slettet, mens kørslen skrev.", *_NEXT),
    Reason("rejected", "SharePoint refused the row: {detail}", "SharePoint afviste rækken: {detail}",
           "Look at the list's own rules for this column.", "Se på listens egne regler for kolonnen."),
    Reason("unknown-outcome", "SharePoint gave no answer for this row, repeatedly.",
           "SharePoint svarede gentagne gange ikke for rækken.", *_NEXT),
    Reason("duplicate-key", "Another item already holds the unique key {key}.",
           "Et andet element har allerede den entydige nøgle {key}.",
           "Find the other item and clear its key, or merge the two.",
           "Find det andet element og fjern dets nøgle, eller flet de to."),
    Reason("key-held", "Item {items} still carries the key {key}, because its own change was not written.",
           "Element {items} har stadig nøglen {key}, fordi dets egen ændring ikke blev skrevet.",
           "Look why that item was not written; the next run tries again.",
           "Se, hvorfor elementet ikke blev skrevet; næste kørsel prøver igen."),
    Reason("not-convertible", "Converter {converter} needs {expected}.",
           "Konverteringen {converter} kræver {expected}.", *_MAPPING),
    Reason("stopped", "Not written: the run was stopped.", "Ikke skrevet: kørslen blev stoppet.",
           "Run it again: it goes on where it stopped.", "Kør igen: den fortsætter, hvor den slap."),
)  # fmt: skip
REASONS: Mapping[str, Reason] = {reason.code: reason for reason in _TABLE}


class _Facts(dict[str, object]):
    """Facts for `format_map`; one that is missing shows as a question mark."""

    def __missing__(self, key: str) -> str:
        return "?"


def sentence(code: str, facts: Mapping[str, object], language: Language = "en") -> str:
    """The reason as a sentence. Raises KeyError for an unknown code."""
    reason = REASONS[code]
    shown = _Facts({name: _short(value) for name, value in facts.items()})
    return (reason.danish if language == "da" else reason.english).format_map(shown)


def hint(code: str, language: Language = "en") -> str:
    """The next step. Raises KeyError for an unknown code."""
    reason = REASONS[code]
    return reason.hint_danish if language == "da" else reason.hint_english


def _short(value: object) -> str:
    text = " ".join(str(value).split())
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"
