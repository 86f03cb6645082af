"""profiles list, show, export, import, lint."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

import typer

from worker.cli.context import chosen_profiles, guarded, opened_app
from worker.cli.output import say, say_json, tell
from worker.domain.profile import Profile
from worker.domain.profile_lint import lint_profiles, profile_warnings
from worker.domain.profile_row import profile_from_json, profile_to_json
from worker.domain.render.values import one_line
from worker.errors import ConfigError, Problem

app = typer.Typer(no_args_is_help=True, add_completion=False)
Files = Annotated[list[Path], typer.Argument(help="Profile files (JSON).")]


@app.command("list")
def list_(as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False) -> None:
    """The profiles in the list, in run order; wrong ones with what is wrong."""
    with guarded(), opened_app(quiet=True) as app_:
        rows = app_.profiles.profiles()
        if as_json:
            say_json(
                [
                    {
                        "title": row.title,
                        "valid": row.profile is not None,
                        "enabled": bool(row.profile and row.profile.enabled),
                        "problems": [str(problem) for problem in row.problems],
                    }
                    for row in rows
                ]
            )
            return
        for row in rows:
            profile = row.profile
            if profile is None:
                say(f"     {one_line(row.title)}: {len(row.problems)} problems", *(f"       {p}" for p in row.problems))
            else:
                state = "" if profile.enabled else "  (disabled)"
                way = f"{profile.source.value} -> {profile.target.value}, {profile.import_type.value}"
                say(
                    f"{profile.order:>4} {one_line(profile.title):<30} {way}, {profile.schedule or 'on request'}{state}"
                )


@app.command()
def show(title: str) -> None:
    """One profile as JSON, as `export` writes it."""
    with guarded(), opened_app(quiet=True) as app_:
        (profile,), _ = chosen_profiles(app_, [title])
        say(profile_to_json(profile).rstrip())


@app.command()
def export(folder: Annotated[Path, typer.Argument(help="Folder for one file per profile.")]) -> None:
    """Write all valid profiles to files."""
    with guarded(), opened_app(quiet=True) as app_:
        folder.mkdir(parents=True, exist_ok=True)
        for row in app_.profiles.profiles():
            if row.profile is not None:
                path = folder / f"{row.profile.order:02d}-{_slug(row.title)}.json"
                path.write_text(profile_to_json(row.profile), encoding="utf-8")
                say(str(path))


@app.command("import")
def import_(files: Files) -> None:
    """Save profile files into the list; all files are checked before any is saved."""
    with guarded(), opened_app(quiet=True) as app_:
        for profile in _loaded(files):
            app_.profiles.save(profile)
            say(f"saved: {one_line(profile.title)}")


@app.command()
def lint(
    files: Annotated[list[Path] | None, typer.Argument(help="Files; none = the profiles in the list.")] = None,
) -> None:
    """Say what is wrong with profiles, and what is allowed but seldom meant."""
    with guarded():
        profiles, problems = (_loaded(files), []) if files else _listed()
        problems += lint_profiles(profiles)
        for profile in profiles:
            for warning in profile_warnings(profile):
                tell(f"{profile.title}: {warning}", "yellow")
        if problems:
            raise ConfigError(problems, hint="Correct the profiles.")
        say(f"{len(profiles)} profiles, no problems.")


def _listed() -> tuple[list[Profile], list[Problem]]:
    with opened_app(quiet=True) as app_:
        rows = app_.profiles.profiles()
    return [row.profile for row in rows if row.profile], [problem for row in rows for problem in row.problems]


def _loaded(files: list[Path]) -> list[Profile]:
    found: list[Profile] = []
    problems: list[Problem] = []
    for path in files:
        try:
            found.append(profile_from_json(path.read_text(encoding="utf-8"), f"file {path.name}"))
        except ConfigError as error:
            problems += error.problems
        except (OSError, UnicodeDecodeError) as error:
            problems.append(Problem(f"file {path}", f"can't be read ({type(error).__name__})."))
    if problems:
        raise ConfigError(problems, hint="Correct the files; nothing was saved.")
    return found


def _slug(title: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", title.casefold()).strip("-") or "profile"
