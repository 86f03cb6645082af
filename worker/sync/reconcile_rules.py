"""Which columns are compared, by the profiles' mappings, and which rows by their filters."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from worker.domain.profile import FieldRule, ImportType, OnBlank, Profile, SourceKind, WriteRule
from worker.domain.records import Customer
from worker.domain.values import Column
from worker.sync.reconcile_fields import FIELDS, OF_THE_RUN, UNCOMPARED, Reader
from worker.sync.reconcile_forms import FORMS, PLAIN, Form, form_for
from worker.sync.reconcile_periods import months_on
from worker.sync.reconcile_report import NotCompared, Why


@dataclass(frozen=True, slots=True)
class Compared:
    """One column that e-conomic owns. `name` is e-conomic's field, "" and `read` None for a constant. `stamp`: the
    column that says from when the profile's figures are, "" when there is none that only this profile writes."""

    profile: Profile
    name: str
    stamp: str
    column: Column
    read: Reader | None
    form: Form
    default: str | None
    clears: bool
    shorten: bool


class Rules:
    """The mappings that fill one list from one source."""

    def __init__(
        self,
        kind: str,
        source: SourceKind,
        profiles: Sequence[Profile],
        columns: Mapping[str, Column],
        blocked: Mapping[str, tuple[Why, str]],
    ) -> None:
        """`blocked`: fields that can't be counted, and why."""
        self._kind = kind
        self._fields = FIELDS[source]
        self._columns = columns
        self._blocked = blocked
        self.profiles = [one for one in profiles if one.source is source]
        self.not_compared: list[NotCompared] = []
        self.compared = list(self._every())

    def column_of(self, name: str, usual: str = "") -> str:
        """The column that holds a field; where no profile maps it, its usual one."""
        rules = (rule for one in self.profiles for rule in one.rules if rule.source == name and not rule.converter)
        found = next((rule.target for rule in rules if rule.target in self._columns), usual)
        return found if found in self._columns else ""

    def _every(self) -> Iterator[Compared]:
        for profile in self.profiles:
            if profile.import_type is ImportType.IMPORT:
                self.not_compared.append(NotCompared(self._kind, "", Why.CREATES, profile.title))
                continue
            for rule in profile.rules:
                if rule.source in OF_THE_RUN:
                    continue
                found = self._one(profile, rule)
                if isinstance(found, Compared):
                    yield found
                elif found not in self.not_compared:
                    self.not_compared.append(found)

    def _one(self, profile: Profile, rule: FieldRule) -> Compared | NotCompared:
        if rule.write is not WriteRule.ERP_OWNS:
            return NotCompared(self._kind, rule.target, Why.OWNED)
        name, column = rule.source or "", self._columns.get(rule.target)
        if column is None:
            return NotCompared(self._kind, rule.target, Why.COLUMN)
        why = self._why(name) if name else None
        if why is not None:
            return NotCompared(self._kind, rule.target, *why)
        form = FORMS.get(rule.converter) if rule.converter else PLAIN
        if form is None:
            return NotCompared(self._kind, rule.target, Why.CONVERTER, rule.converter or "")
        read = self._fields[name] if name else None
        clears = profile.on_blank is OnBlank.CLEAR
        stamp, form = self._stamp(profile), form_for(form, column)
        return Compared(profile, name, stamp, column, read, form, rule.default, clears, rule.shorten)

    def _why(self, name: str) -> tuple[Why, str] | None:
        if name in UNCOMPARED:
            return UNCOMPARED[name], name
        if name not in self._fields:
            return Why.FIELD, name
        return self._blocked.get(name)

    def _stamp(self, profile: Profile) -> str:
        """Of a column that other profiles write too nobody knows whose figures it speaks of."""
        stamps = {one.title: rule.target for one in self.profiles for rule in one.rules if rule.source == "RunStarted"}
        own = stamps.get(profile.title, "")
        return own if own in self._columns and list(stamps.values()).count(own) == 1 else ""


class Scope:
    """Which of e-conomic's rows profiles take. Windows begin with the month of `today`, the agreement's day."""

    def __init__(self, customers: Mapping[str, Customer], today: date) -> None:
        self._customers = customers
        self._today = today
        self._first_days: dict[int | None, date] = {None: date.min}

    def takes(self, profile: Profile, customer_number: int) -> bool:
        """Whether the filter lets rows of this customer in."""
        wanted, customer = profile.source_filter, self._customers.get(str(customer_number))
        if customer is not None and customer.barred and not wanted.include_barred:
            return False
        group = customer.group_number if customer else None
        return not wanted.customer_groups or group in wanted.customer_groups

    def is_whole(self, profile: Profile) -> bool:
        """Whether every customer is let in."""
        return profile.source_filter.include_barred and not profile.source_filter.customer_groups

    def first_day(self, profile: Profile) -> date:
        """From when on the profile takes rows that have a date."""
        months = profile.source_filter.months
        if months is not None and months not in self._first_days:
            self._first_days[months] = months_on(self._today, -months).replace(day=1)
        return self._first_days[months]

    def takes_row(self, profile: Profile, customer_number: int, day: date) -> bool:
        """Whether the profile takes a row of this customer and day."""
        return day >= self.first_day(profile) and self.takes(profile, customer_number)

    @staticmethod
    def creating(profiles: Sequence[Profile]) -> list[Profile]:
        """Those that make what is missing."""
        return [one for one in profiles if one.import_type is not ImportType.UPDATE]
