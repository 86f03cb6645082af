"""Which other customers and companies must be seen beside a few, because numbers were changed.

Narrowed to its new number alone a renumbered customer would look new, and get a second company; so would its rows where
the company has the new number already. The rules are the night's own; here is only found what they must see, in rounds
and from both sides: what has no like on the other side is looked for there by what was said, by CVR number and by name.
For a customer without its company that takes one read of all companies, as at night: an equal name is no equal text.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from worker.domain.existing import key_text
from worker.domain.names import plain_name
from worker.domain.profile import Profile, SourceKind
from worker.domain.profile_customer import COMPANY_COLUMN, customer_column
from worker.domain.renumbering import Party, earlier_numbers, later_numbers, may_be_earlier, party_of, seems_same
from worker.domain.values import ColumnKind, Item, TargetKind
from worker.economic.search import printable, same_name_filter
from worker.errors import FatalError
from worker.sharepoint.target import SharePointTarget
from worker.sync.numbers import company_party
from worker.sync.planner import COMPANY_KEY
from worker.wiring.app import App

MOST_BESIDE = 40  # of one go; beyond that it is no single sync any more
_NAMESAKES = 100  # of e-conomic that are looked at
# Tell one company from another.
PARTY_COLUMNS = (COMPANY_KEY, "Title", "CompanyName", "CINumber", "EMail", "Zip")


def beside(app: App, profiles: Sequence[Profile], numbers: Sequence[int]) -> list[str]:
    """Numbers that must be looked at with `numbers`, as companies and rows carry them. Raises FatalError when they are
    too many: a whole series was renumbered."""
    target = app.site.view_of(TargetKind.COMPANY, PARTY_COLUMNS)
    if target is None or COMPANY_KEY not in target.columns:
        return []
    asked = {str(number) for number in numbers}
    circle = _Circle(app, target)
    found: set[str] = set()
    new = asked
    while new:
        around = (new | circle.around(new)) - found
        found |= around
        _refuse_many(found - asked)
        new = _of_rows(app, profiles, circle, around) - found
    return sorted(found - asked)


def _refuse_many(numbers: Collection[str] | Collection[int]) -> None:
    if len(numbers) > MOST_BESIDE:
        raise FatalError(
            "Too many customers with changed numbers belong together to be brought up to date alone.",
            hint="The nightly run brings these items up to date.",
        )


def customers_beside(numbers: Sequence[int], more: Sequence[str]) -> list[int]:
    """`numbers`, and those of `more` that e-conomic can have."""
    return [*numbers, *(int(one) for one in more if is_customer_number(one))]


class _Circle:
    """Customers of e-conomic and companies of the CRM that were met. What was asked once is not asked again."""

    def __init__(self, app: App, target: SharePointTarget) -> None:
        self._app = app
        self._target = target
        self._said = app.said()
        self._customers: dict[str, Party] = {}
        self._companies: dict[str, dict[int, Party]] = {}  # number -> item -> company
        self._alike: dict[str, list[Party]] = {}  # customers by CVR number, or else by name
        self._marks: dict[str, list[Party]] | None = None  # all companies, by CVR number and by name

    def around(self, numbers: Collection[str]) -> set[str]:
        """Of customers without their company, and of companies without their customer, that hang together with these
        numbers."""
        met: set[str] = set()
        left: set[str] = set()
        new = set(numbers)
        while new:
            self._meet(new)
            met |= new
            alone = {number for number in new if not self._is_settled(number)}
            left |= alone
            _refuse_many(left.difference(numbers))
            new = {number for one in alone for number in self._hanging(one)} - met
        return left

    def items(self, numbers: Iterable[str]) -> set[int]:
        """Company items met with these numbers."""
        return {item for number in numbers for item in self._companies.get(number, {})}

    def numbers_of(self, items: set[int]) -> set[str]:
        """What these company items carry; a request for each that was not met."""
        unknown = items - self.items(self._companies)
        _refuse_many(unknown)
        read = [self._target.item(item, [*self._target.columns]) for item in sorted(unknown)]
        self._note(item for item in read if item is not None)
        return {number for number, theirs in self._companies.items() if not theirs.keys().isdisjoint(items)}

    def _meet(self, numbers: Collection[str]) -> None:
        found = self._app.source.customers_numbered(sorted(int(one) for one in numbers if is_customer_number(one)))
        self._customers |= {str(one.number): party_of(one) for one in found}
        if self._marks is None:
            self._note(self._target.find(COMPANY_KEY, sorted(numbers), [*self._target.columns]))

    def _note(self, items: Iterable[Item]) -> list[Party]:
        parties = [(item.item_id, item_party(item)) for item in items]
        for item_id, party in parties:
            if party.number:
                self._companies.setdefault(party.number, {})[item_id] = party
        return [party for _, party in parties if party.number]

    def _is_settled(self, number: str) -> bool:
        """Whether customer and company have found each other. Of two companies of one number nothing can be said."""
        customer, companies = self._customers.get(number), self._companies.get(number, {})
        if customer is None or not companies:
            return customer is None and not companies
        return len(companies) > 1 or any(seems_same(one, customer) for one in companies.values())

    def _hanging(self, number: str) -> set[str]:
        found: set[str] = set()
        if (customer := self._customers.get(number)) is not None:
            found |= self._before(customer)
        for company in self._companies.get(number, {}).values():
            found |= self._after(company)
        return found

    def _before(self, customer: Party) -> set[str]:
        """Numbers of companies that may be this customer's."""
        marks = self._all_marks()
        alike = [*marks.get(customer.tax_id, []), *marks.get(plain_name(customer.name), [])]
        said = earlier_numbers([customer.number], self._said)[customer.number]
        return {one.number for one in alike if may_be_earlier(one, customer)} | set(said)

    def _after(self, company: Party) -> set[str]:
        """Numbers of customers that the company's may be now. Those of another name are for a person, who is asked when
        they themselves are looked at."""
        said = later_numbers([company.number], self._said)[company.number]
        name = plain_name(company.name)
        alike = [one for one in self._customers_like(company) if plain_name(one.name) == name]
        return {one.number for one in alike if may_be_earlier(company, one)} | set(said)

    def _customers_like(self, company: Party) -> list[Party]:
        name = printable(company.name)
        mark = company.tax_id or name
        if mark and mark not in self._alike:
            source = self._app.source
            found = (
                source.customers_of_cvr(company.tax_id)
                if company.tax_id
                else source.customers_where(same_name_filter(name), _NAMESAKES)
            )
            self._alike[mark] = [party_of(one) for one in found]
        return self._alike.get(mark, [])

    def _all_marks(self) -> Mapping[str, list[Party]]:
        if self._marks is None:
            self._marks = {}
            for party in self._note(self._target.items([*self._target.columns])):
                for mark in {party.tax_id, plain_name(party.name)} - {""}:
                    self._marks.setdefault(mark, []).append(party)
        return self._marks


def _of_rows(app: App, profiles: Iterable[Profile], circle: _Circle, numbers: Collection[str]) -> set[str]:
    """Numbers of other customers that rows of these companies carry, and of other companies that rows of these numbers
    point to. Of contacts, which people may give to another company, only customers that e-conomic no longer has."""
    companies = circle.items(numbers)
    found: set[str] = set()
    elsewhere: set[int] = set()
    for source, target, column in _lists(app, profiles):
        theirs = target.find(COMPANY_COLUMN, [*map(str, sorted(companies))], [column])
        others = {number for item in theirs if (number := key_text(item.values[column]))} - set(numbers)
        found |= _gone(app, others) if source is SourceKind.CONTACT else others
        rows = target.find(column, sorted(numbers), [COMPANY_COLUMN])
        elsewhere |= {item for row in rows if isinstance(item := row.values[COMPANY_COLUMN], int)} - companies
    return found | circle.numbers_of(elsewhere)


def _lists(app: App, profiles: Iterable[Profile]) -> Iterator[tuple[SourceKind, SharePointTarget, str]]:
    """Lists whose rows point to companies, with the column of the customer's number."""
    for source, kind, column in sorted({(one.source, one.target, customer_column(one) or "") for one in profiles}):
        target = app.site.view_of(kind, (COMPANY_COLUMN, column)) if column and kind is not TargetKind.COMPANY else None
        if target is not None and column in target.columns and _points(target):
            yield source, target, column


def _points(target: SharePointTarget) -> bool:
    column = target.columns.get(COMPANY_COLUMN)
    return column is not None and column.kind is ColumnKind.LOOKUP


def _gone(app: App, numbers: Collection[str]) -> set[str]:
    there = app.source.customers_numbered(sorted(int(one) for one in numbers if is_customer_number(one)))
    return set(numbers) - {str(one.number) for one in there}


def is_customer_number(text: str) -> bool:
    """Whether e-conomic could have a customer of this number; people type others into companies."""
    return text.isascii() and text.isdecimal() and len(text) < 10 and text == str(int(text))


def item_party(item: Item) -> Party:
    """A company of the CRM; its number is "" when it carries none."""
    return company_party(key_text(item.values[COMPANY_KEY]) or "", item, PARTY_COLUMNS)
