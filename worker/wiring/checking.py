"""The connection test: both sides, rights, lists, and the binding of every profile. Changes nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from worker.domain.profile import Profile
from worker.domain.render.values import one_line
from worker.errors import ConfigError, Problem, WorkerError
from worker.wiring.app import App


@dataclass(frozen=True, slots=True)
class CheckStep:
    """What one step found. `lines` are sentences for a person, `facts` the same as names and values; `error` is set
    when it failed."""

    name: str
    lines: tuple[str, ...] = ()
    facts: tuple[tuple[str, str], ...] = ()
    warnings: tuple[str, ...] = ()
    error: WorkerError | None = None


def check_connection(app: App) -> Iterator[CheckStep]:
    """Step by step, as they are done. Profiles are looked at only when the site is in order."""
    yield _step("e-conomic", lambda: _economic(app))
    site = _step("SharePoint", lambda: _site(app))
    yield site
    if site.error is None:
        yield _step("Profiles", lambda: _profiles(app))


def _step(name: str, look: Callable[[], CheckStep]) -> CheckStep:
    try:
        return look()
    except WorkerError as error:
        return CheckStep(name, error=error)


def _economic(app: App) -> CheckStep:
    report = app.source.connection_test()
    agreement = report.agreement
    line = (
        f"e-conomic: {agreement.company_name or 'company without a name'}, agreement {agreement.number}, "
        f"base currency {agreement.base_currency}, app '{agreement.app_name}' with {', '.join(agreement.roles) or '?'}"
    )
    facts = (
        ("Company", agreement.company_name or "?"),
        ("Agreement number", str(agreement.number)),
        ("Base currency", agreement.base_currency),
        ("App", agreement.app_name or "?"),
        ("Roles", ", ".join(agreement.roles) or "?"),
    )
    return CheckStep("e-conomic", (line,), facts, tuple(report.warnings))


def _site(app: App) -> CheckStep:
    access = app.site.check_access()
    lines: list[str] = []
    facts: list[tuple[str, str]] = []
    if access.title:
        may = (("read", access.can_read), ("write", access.can_write), ("provision", access.can_manage))
        rights = ", ".join(name for name, has in may if has)
        lines.append(f"SharePoint: '{one_line(access.title)}' at {access.url}, may {rights}, zone {access.zone}")
        facts += [("Site", access.title), ("Address", access.url), ("Rights", rights), ("Time zone", access.zone)]
    for title, there, count in access.lists:
        facts.append((title, f"{there}: {count:,}" if there else "missing"))
        lines.append(f"  list {title}: " + (f"'{one_line(there)}', {count:,} items" if there else "missing"))
    wrong = ConfigError(access.problems) if access.problems else None
    return CheckStep("SharePoint", tuple(lines), tuple(facts), error=wrong)


def _profiles(app: App) -> CheckStep:
    rows = app.profiles.profiles()
    chosen = [row.profile for row in rows if row.profile and row.profile.enabled]
    problems = [problem for row in rows if row.profile is None for problem in row.problems]
    problems += _unbound(app, chosen)
    if problems:
        hint = "Correct the list Mapping profiles, or name lists and columns in the settings."
        return CheckStep("Profiles", error=ConfigError(problems, hint=hint))
    if not chosen:
        return CheckStep("Profiles", warnings=("No profile is enabled. Next: enable one in the list.",))
    facts = (("Enabled profiles", str(len(chosen))),)
    return CheckStep("Profiles", (f"Profiles: {len(chosen)} enabled, every column is bound.",), facts)


def _unbound(app: App, chosen: Sequence[Profile]) -> Sequence[Problem]:
    """What keeps enabled profiles from being bound."""
    if not chosen:
        return ()
    try:
        with app.session(chosen, app.run_options()) as session:
            session.check()
    except ConfigError as error:
        return error.problems
    return ()
