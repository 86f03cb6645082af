"""A row's cells become a profile: every column is checked, then the columns against each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

from worker.domain import profile_words as words
from worker.domain.fields import CATALOGUE, default_key, resolve_field
from worker.domain.profile import FieldRule, ImportType, OnBlank, OnMissing, Profile, SourceKind, WriteRule
from worker.domain.profile_cells import Cells
from worker.domain.profile_filter import read_filter
from worker.domain.profile_json import shown
from worker.domain.profile_rules import STATUS_COLUMN, column_name, read_rules, same_column, unknown_field
from worker.domain.schedule import check_schedule, check_zone
from worker.domain.values import TargetKind

# What each source can fill, and the column that joins them.
TARGETS: Mapping[SourceKind, tuple[TargetKind, str]] = {
    SourceKind.CUSTOMER: (TargetKind.COMPANY, "CustomerID"),
    SourceKind.CONTACT: (TargetKind.CONTACT, "ImportID"),
    SourceKind.INVOICE: (TargetKind.INVOICE, "InvoiceNumber"),
    SourceKind.SALES: (TargetKind.STATISTICS, "StatKey"),
}
_SOURCES = {target: source for source, (target, _) in TARGETS.items()}
_CAN_BE_MISSING = frozenset({SourceKind.CUSTOMER, SourceKind.CONTACT})
_ZONE = "Europe/Copenhagen"
_TITLE_LIMIT = 255  # a single line of text in a list


def check_profile(cells: Cells) -> Profile | None:
    """The profile; None when `cells` has problems."""
    title = _title(cells)
    source = cells.word("Source", words.source_kind, ("Debtor", *SourceKind))
    target = cells.word("Target", words.target_kind, TargetKind)
    kind = cells.word("ImportType", words.import_type, ImportType, ImportType.IMPORT_AND_UPDATE)
    _check_pair(cells, source, target)
    # A target has one source only, so the rules can be checked even when the source is the column that is wrong.
    source = source or (_SOURCES[target] if target else None)
    rules: Sequence[FieldRule] = read_rules(cells, source)
    wanted = read_filter(cells, source)
    zone, schedule = _timing(cells)
    order = int(cells.number("RunOrder", Decimal(100), 100_000, whole=True))
    limit = cells.number("MaxChangePct", Decimal(30), 100_000)
    enabled = cells.yes_no("Enabled", blank=True)
    on_blank = cells.word("OnBlank", words.on_blank, OnBlank, OnBlank.KEEP)
    on_missing = _on_missing(cells, source, kind, rules)
    (key_target, key_source), rules = _keyed(cells, source, rules)
    if cells.problems or source is None or target is None or kind is None or on_blank is None:
        return None
    return Profile(
        title=title,
        source=source,
        target=target,
        import_type=kind,
        key_target=key_target,
        key_source=key_source,
        rules=tuple(rules),
        enabled=enabled,
        order=order,
        source_filter=wanted,
        on_blank=on_blank,
        on_missing=on_missing,
        max_change_pct=limit,
        schedule=schedule,
        time_zone=zone,
    )


def _title(cells: Cells) -> str:
    title = cells.text("Title")
    if not title:
        cells.problem("Title", "is blank; a profile needs a name.")
    elif not title.isprintable():
        cells.problem("Title", "holds a line break or a control character.")
    if len(title) > _TITLE_LIMIT:
        cells.problem("Title", f"has {len(title)} characters; a title can have {_TITLE_LIMIT}.")
    return title


def _check_pair(cells: Cells, source: SourceKind | None, target: TargetKind | None) -> None:
    if source and target and TARGETS[source][0] is not target:
        cells.problem("Target", f"{source.value} can't fill {target.value}.", (TARGETS[source][0].value,))


def _timing(cells: Cells) -> tuple[str, str | None]:
    zone = cells.text("TimeZone") or _ZONE
    schedule = " ".join(cells.text("Schedule").split()) or None
    wrong_zone = check_zone(zone)
    if wrong_zone:
        cells.problem("TimeZone", wrong_zone)
    wrong = check_schedule(schedule, _ZONE if wrong_zone else zone) if schedule else None
    if wrong:
        cells.problem("Schedule", wrong)
    return zone, schedule


def _key_source(cells: Cells, source: SourceKind) -> str | None:
    name = cells.text("KeySource") or default_key(source)
    field = resolve_field(source, name)
    if field is None:
        unknown_field(cells, "KeySource", "", source, name)
    return field.name if field else None


def _keyed(
    cells: Cells, source: SourceKind | None, rules: Sequence[FieldRule]
) -> tuple[tuple[str, str], Sequence[FieldRule]]:
    """Target column and source field that join both sides, and the rules with the key's own among them: without its
    key an item could never be found again, so the key is always written."""
    if source is None:
        return ("", ""), rules
    column = column_name(cells.text("KeyTarget")) or TARGETS[source][1]
    field = _key_source(cells, source) or ""
    rule = next((rule for rule in rules if same_column(rule.target, column)), None)
    if rule is None:
        return (column, field), [FieldRule(column, field), *rules]
    if field and rule.source != field and (rule.source is None or rule.source in CATALOGUE[source]):
        filled = f"from {rule.source}" if rule.source else "with a constant"
        cells.problem("KeyTarget", f"{shown(column)} is filled {filled}, but the key is {field}.")
    return (rule.target, field), rules


def _on_missing(
    cells: Cells, source: SourceKind | None, kind: ImportType | None, rules: Sequence[FieldRule]
) -> OnMissing:
    """Flag or keep; when nothing is typed, flag where a flag is possible."""
    wrong = _no_flag(source, kind, rules)
    if not cells.text("OnMissing"):
        return OnMissing.KEEP if wrong else OnMissing.FLAG
    found = cells.word("OnMissing", words.on_missing, OnMissing)
    if found is OnMissing.FLAG:
        for message in wrong:
            cells.problem("OnMissing", message, (OnMissing.KEEP.value,))
    return found or OnMissing.KEEP


def _no_flag(source: SourceKind | None, kind: ImportType | None, rules: Sequence[FieldRule]) -> list[str]:
    """Why this profile can't flag items that are missing in the ERP."""
    if source is not None and source not in _CAN_BE_MISSING:
        return [f"{source.value} rows can't be flagged as missing."]
    found = []
    if kind is ImportType.IMPORT:
        found.append("Import never touches existing items, so it can't flag.")
    status = next((rule for rule in rules if rule.target == STATUS_COLUMN), None)
    if status is None or status.write is not WriteRule.ERP_OWNS:
        found.append(
            f"Flag needs a rule that fills {STATUS_COLUMN} and is owned by the ERP, so that the flag goes away again."
        )
    return found
