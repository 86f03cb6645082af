"""Whether the customer that has a number now is another one than its company of the CRM. Pure.

With CVR numbers that is settled. Private persons have none, and there a change of name is what mostly happens: somebody
marries, a shop gets a new sign. So a name alone never makes another customer; only a name that is clearly another one
and facts that all speak against it raise the question, and then a person is asked.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from worker.domain.converters import first_email
from worker.domain.names import plain_name
from worker.domain.renumbering import Party, is_other

_PHONE_DIGITS = 8  # of a Danish number; what stands before is the country's code


def may_be_other(company: Party, customer: Party) -> bool:
    """Whether a person must say if a number was given to somebody else, where `is_other` can't tell.

    All of this must be true: the names share half of the shorter one's words at most; none of CVR number, e-mail, phone
    and address agrees; and an e-mail or address that both have is another one. So who kept one of these facts is the
    same customer under a new name, and so is one of whom nothing but the name is known.
    """
    if company.tax_id and company.tax_id == customer.tax_id:
        return False
    agree = [_agree(company, customer, fact) for fact in (_email, _address, _phone)]
    if True in agree or False not in agree[:2]:
        return False
    return not is_other(company, customer) and _is_another_name(company.name, customer.name)


def is_still(seen: Party, customer: Party) -> bool:
    """Whether a person's word about the one is good for the other, who has its number now. Stricter than the question
    itself: whoever has another name and shares no fact is asked about anew, also where too little is known to ask."""
    if is_other(seen, customer):
        return False
    agree = [_agree(seen, customer, fact) for fact in (_tax_id, _email, _address, _phone)]
    return True in agree or not _is_another_name(seen.name, customer.name)


def _is_another_name(one: str, other: str) -> bool:
    words, others = set(plain_name(one).split()), set(plain_name(other).split())
    return bool(words and others) and 2 * len(words & others) <= min(len(words), len(others))


def _agree(company: Party, customer: Party, fact: Callable[[Party], object]) -> bool | None:
    """None when one of them does not have it."""
    theirs, ours = fact(company), fact(customer)
    return theirs == ours if theirs and ours else None


def _tax_id(party: Party) -> str:
    return party.tax_id


def _email(party: Party) -> str:
    return (first_email(party.email) or "").casefold()


def _address(party: Party) -> object:
    """Street and postal code: most towns have a Storegade 1."""
    words = re.findall(r"\w+", party.address.casefold())
    return (words, re.findall(r"\w+", party.zip.casefold())) if words else None


def _phone(party: Party) -> str:
    return re.sub(r"\D", "", party.phone)[-_PHONE_DIGITS:]
