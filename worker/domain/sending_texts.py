"""What is said of values that were not sent to e-conomic, each with the next step, in English and Danish."""

from __future__ import annotations

from collections.abc import Mapping

from worker.domain.creation_texts import Language

_TEXTS: Mapping[str, tuple[str, str]] = {
    "first": (
        "They differ, and never agreed. Make them alike once, in the CRM or in e-conomic.",
        "De er forskellige og har aldrig været ens. Gør dem ens én gang, i CRM eller i e-conomic.",
    ),
    "economic": (
        "e-conomic was changed, although the CRM owns it. Change it back there, or write the new value in the CRM too.",
        "e-conomic blev ændret, selv om CRM ejer feltet. Ret det tilbage dér, eller skriv den nye værdi i CRM også.",
    ),
    "both": (
        "Both were changed. Write the right value on both sides.",
        "Begge blev ændret. Skriv den rigtige værdi på begge sider.",
    ),
    "too-long": (
        "It is too long for e-conomic. Shorten it in the CRM.",
        "Den er for lang til e-conomic. Forkort den i CRM.",
    ),
    "no-ean": (
        "An EAN has 13 digits and nothing else. Correct it in the CRM.",
        "Et EAN-nummer har 13 cifre og intet andet. Ret det i CRM.",
    ),
    "no-email": (
        "It is no e-mail address. Correct it in the CRM.",
        "Det er ingen e-mailadresse. Ret den i CRM.",
    ),
    "several": (
        "e-conomic has several addresses there, and some would be lost. Change them in e-conomic.",
        "e-conomic har flere adresser dér, og nogle ville gå tabt. Ret dem i e-conomic.",
    ),
    "twice": (
        "Several companies have this customer number, so nothing of them is sent. Leave the number on the right one.",
        "Flere virksomheder har dette kundenummer, så intet af dem sendes. Lad nummeret stå på den rigtige.",
    ),
    "refused": (
        "e-conomic refused it: {detail} Correct the value in the CRM; or, if the app may not write, give it the role "
        "SuperUser or Sales.",
        "e-conomic afviste den: {detail} Ret værdien i CRM; eller giv appen rollen SuperUser eller Sales, hvis den "
        "ikke må skrive.",
    ),
    "meanwhile": (
        "e-conomic was changed while it was being sent. The next time compares anew.",
        "e-conomic blev ændret, mens den blev sendt. Næste gang sammenlignes der på ny.",
    ),
}
CODES = frozenset(_TEXTS)


def why_not(code: str, detail: str = "", language: Language = "en") -> str:
    """The sentence. Raises KeyError for an unknown code."""
    return _TEXTS[code][1 if language == "da" else 0].format(detail=detail)
