"""A live row of e-conomic, so that a person who maps sees what a field holds."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from worker.domain.fields import CATALOGUE
from worker.domain.profile import FieldRule, ImportType, Profile, SourceKind
from worker.domain.profile_checks import TARGETS
from worker.domain.rows import RunFacts
from worker.economic.one_customer import OneCustomer
from worker.sync.rows import source_rows
from worker.sync.snapshot import Snapshot
from worker.web.texts import Texts
from worker.wiring.app import App

_LOOKED_AT = 5  # customers that are tried until one has a row of this source
_LONGEST = 120  # characters of a value that are shown


def samples(app: App, source: SourceKind, texts: Texts) -> dict[str, str]:
    """Field name -> value as people read it, from the first row there is; empty without any. Some ten requests."""
    for number in app.source.examples(_LOOKED_AT):
        found = _of(app, source, number, texts)
        if found:
            return found
    return {}


def _of(app: App, source: SourceKind, number: int, texts: Texts) -> dict[str, str]:
    target, key = TARGETS[source]
    fields = CATALOGUE[source]
    every = tuple(FieldRule(name, name) for name in fields)
    profile = Profile("samples", source, target, ImportType.UPDATE, key, next(iter(fields)), every)
    options = app.run_options()
    now = app.clock.now()
    today = now.astimezone(ZoneInfo(options.zone)).date()
    one = OneCustomer(app.source, number)
    snapshot = Snapshot(one, [profile], today, options.year_start, options.trend)
    try:
        facts = RunFacts(run_id="", started=now, today=today)
        row = next(iter(source_rows(profile, snapshot, facts)), None)
    finally:
        snapshot.close()
    if row is None:
        return {}
    read = {name: field.read(row.record) for name, field in fields.items() if not (field.stamp and not field.rest_path)}
    return {name: texts.value(value)[:_LONGEST] for name, value in read.items()}
