"""What a company and a debtor are compared by: names, numbers and addresses in one spelling. Pure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

from worker.domain.converters import cvr_digits
from worker.domain.names import Kin, Name, plain_name, read_name

# Mail providers: many parties share their domains. The large ones of Denmark and of the world.
_SHARED_DOMAINS = frozenset(
    {
        "gmail.com",
        "googlemail.com",
        "hotmail.com",
        "hotmail.dk",
        "outlook.com",
        "outlook.dk",
        "live.dk",
        "live.com",
        "yahoo.com",
        "yahoo.dk",
        "icloud.com",
        "me.com",
        "mac.com",
        "msn.com",
        "mail.dk",
        "mail.com",
        "jubii.dk",
        "ofir.dk",
        "tdcadsl.dk",
        "stofanet.dk",
        "youmail.dk",
        "webspeed.dk",
        "privat.dk",
        "email.dk",
        "mail.tele.dk",
        "post.tele.dk",
        "protonmail.com",
        "proton.me",
        "gmx.de",
        "gmx.net",
        "web.de",
    }
)
_EAN = 13
_CROWD = 50  # debtors; what more of them share tells none of them


@dataclass(frozen=True, slots=True)
class Signs:
    """One party's. `order`: the words of its name, sorted."""

    whole: Name
    order: str
    cvr: str
    ean: str
    email: str
    domain: str
    phone: str
    address: str
    zip: str

    @property
    def name(self) -> str:
        """Its core."""
        return self.whole.core

    def kin(self, other: Signs) -> Kin | None:
        """None for another core."""
        return self.whole.kin(other.whole) if self.name and self.name == other.name else None


# By these a debtor is found; the first two are numbers that belong to one party.
FOUND_BY: Mapping[str, Callable[[Signs], str]] = {
    "cvr": lambda signs: signs.cvr,
    "ean": lambda signs: signs.ean,
    "email": lambda signs: signs.email,
    "phone": lambda signs: signs.phone,
    "domain": lambda signs: signs.domain,
    "address": lambda signs: signs.address,
}
NUMBERS = frozenset({"cvr", "ean"})


@dataclass(frozen=True, slots=True)
class Numbers:
    """One party's numbers that belong to nobody else, in one spelling; "" for what can't be one."""

    cvr: str
    ean: str

    def may_be(self, other: Numbers) -> bool:
        """Whether one of them says that both are one party, and the CVR number does not say that they are two. So the
        link assistant offers each to the other."""
        if self.cvr and other.cvr:
            return self.cvr == other.cvr
        return bool(self.ean) and self.ean == other.ean


def numbers_of(cvr: str | None, ean: str | None) -> Numbers:
    """As typed. One digit alone, as in 0000000000000, is typed where there is no EAN number."""
    digits, location = cvr_digits(cvr or ""), re.sub(r"\D", "", ean or "")
    return Numbers(
        cvr=digits if re.fullmatch(r"\d{8}", digits) else "",
        ean=location if len(location) == _EAN and len(set(location)) > 1 else "",
    )


class Crowds:
    """What so many debtors share that it tells nothing: a bookkeeper's mailbox, a house of offices, a name like 'Cash
    customer'."""

    def __init__(self, debtors: Iterable[Signs]) -> None:
        self._counts: dict[str, Counter[str]] = {key: Counter() for key in (*FOUND_BY, "order")}
        for one in debtors:
            for key, read in FOUND_BY.items():
                self._counts[key][read(one)] += 1
            self._counts["order"][one.order] += 1

    def size(self, key: str, text: str) -> int:
        """How many debtors share it; `key` of FOUND_BY, or order. 0 for a blank."""
        return self._counts[key][text] if text else 0

    def has(self, key: str, text: str) -> bool:
        """Whether a crowd shares it."""
        return self.size(key, text) > _CROWD

    def without(self, signs: Signs) -> Signs:
        """The same without e-mail, phone, domain and address that a crowd shares. Numbers and name stay: they are
        compared, and are merely nothing to find a debtor by."""

        def own(key: str, text: str) -> str:
            return "" if self.has(key, text) else text

        return replace(
            signs,
            email=own("email", signs.email),
            phone=own("phone", signs.phone),
            domain=own("domain", signs.domain),
            address=own("address", signs.address),
        )


def signs_of(
    name: str,
    *,
    cvr: str | None,
    ean: str | None,
    email: str | None,
    phone: str | None,
    address: str | None,
    zip_: str | None,
) -> Signs:
    """As typed, to be compared. What can't be one (a CVR number of seven digits) is blank."""
    mail = (re.findall(r"[^\s;,<>]+@[^\s;,<>]+", email or "") or [""])[0].casefold()
    domain = mail.rpartition("@")[2]
    numbers = numbers_of(cvr, ean)
    whole = read_name(name)
    return Signs(
        whole=whole,
        order=" ".join(sorted(whole.core.split())),
        cvr=numbers.cvr,
        ean=numbers.ean,
        email=mail,
        domain="" if domain in _SHARED_DOMAINS else domain,
        phone=_phone(phone or ""),
        address=plain_name(address.splitlines()[0]) if address and address.strip() else "",
        zip=re.sub(r"\D", "", zip_ or ""),
    )


def _phone(text: str) -> str:
    """The last eight digits, which is a Danish number without its country code; blank for anything shorter."""
    digits = re.sub(r"\D", "", text)
    return digits[-8:] if 8 <= len(digits) <= 13 else ""
