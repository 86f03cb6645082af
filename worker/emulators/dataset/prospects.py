"""Companies that people typed into the CRM before they ever bought: no Customer ID, some worth linking."""

from random import Random
from typing import Literal

from worker.emulators.dataset import dirt, numbering
from worker.emulators.dataset.chance import quota, stream
from worker.emulators.dataset.model import Document
from worker.emulators.dataset.naming import company_name
from worker.emulators.dataset.pools import DANISH_TOWNS, Pools

Origin = Literal["new", "same cvr", "same name and zip", "blanks"]
ORIGINS: dict[Origin, float] = {"new": 40, "same cvr": 20, "same name and zip": 20, "blanks": 20}


def build_prospects(customers: list[Document], seed: int, pools: Pools) -> list[Document]:
    """One prospect per ten customers, at least four when there are customers at all.

    Every fifth has the CVR of a customer, every fifth the name and zip of one (links to offer), every fifth
    nothing but a name and blanks.
    """
    if not customers:
        return []
    rng = stream(seed, "prospects")
    origins = quota(rng, max(len(ORIGINS), round(len(customers) / 10)), ORIGINS)
    with_cvr = [c for c in customers if c.get("corporateIdentificationNumber")]
    located = [c for c in customers if c.get("zip")]
    rng.shuffle(with_cvr)
    rng.shuffle(located)
    return [_prospect(origin, rng, with_cvr, located, pools) for origin in origins]


def _prospect(origin: Origin, rng: Random, with_cvr: list[Document], located: list[Document], pools: Pools) -> Document:
    if origin == "same cvr" and with_cvr:
        twin = with_cvr.pop()
        digits = "".join(ch for ch in twin["corporateIdentificationNumber"] if ch.isdigit())
        return _row(twin["name"].strip()[:200] + " (lead)") | {"CINumber": digits}
    if origin == "same name and zip" and located:
        twin = located.pop()
        return _row(twin["name"]) | {"Zip": twin["zip"], "City": twin["city"]}
    if origin == "blanks":
        return _row(company_name(rng, pools)) | {"CINumber": " ", "EMail": "", "Zip": "  ", "City": "", "Phone": ""}
    return _new(rng, pools)


def _new(rng: Random, pools: Pools) -> Document:
    name = company_name(rng, pools)
    zip_code, city = rng.choice(DANISH_TOWNS)
    row = _row(name) | {"EMail": f"info@{dirt.slug(name)}.example", "Zip": zip_code, "City": city}
    if rng.random() < 0.5:
        row["CINumber"] = numbering.draw_cvr(rng)
    if rng.random() < 0.7:
        row["Phone"] = dirt.danish_phone(rng).strip()
    return row


def _row(name: str) -> Document:
    return {"Title": name, "CompanyName": name, "CompanyType": "Prospect"}
