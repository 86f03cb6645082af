"""profiles list, show, export, import, lint."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Collection, Sequence
from itertools import chain, count
from pathlib import Path
from typing import Annotated

import typer

from worker.cli.context import all_problems, chosen_profiles, guarded, opened_app, write_file
from worker.cli.output import say, say_json, say_json_text, tell
from worker.domain.profile import Profile
from worker.domain.profile_lint import lint_profiles, profile_warnings
from worker.domain.profile_row import profile_from_json, profile_to_json
from worker.domain.render.values import one_line, some
from worker.errors import ConfigError, Problem

app = typer.Typer(no_args_is_help=True, add_completion=False)
_LETTERS = str.maketrans({"æ": "ae", "ø": "oe", "å": "aa", "ä": "ae", "ö": "oe", "ü": "ue"})
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
                say(
                    f"     {one_line(row.title)}: {some(len(row.problems), 'problem')}",
                    *(f"       {p}" for p in row.problems),
                )
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
        say_json_text(profile_to_json(profile))


@app.command()
def export(
    folder: Annotated[str, typer.Argument(help="Folder for one file per profile; - = all as one JSON list.")] = "-",
) -> None:
    """Write all valid profiles to files; name those that are not valid."""
    with guarded(), opened_app(quiet=True) as app_:
        rows = app_.profiles.profiles()
        profiles = [row.profile for row in rows if row.profile is not None]
        if folder == "-":
            say_json([json.loads(profile_to_json(profile)) for profile in profiles])
        else:
            _write_all(Path(folder), profiles)
        if problems := all_problems([row for row in rows if row.profile is None]):
            raise ConfigError(problems, hint="Correct the list Mapping profiles; the others were written.")


def _write_all(folder: Path, profiles: Sequence[Profile]) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        problem = Problem(f"folder {folder}", f"can't be made ({error.strerror or type(error).__name__}).")
        raise ConfigError([problem], hint="Choose another place.") from None
    taken: set[str] = set()
    for profile in profiles:
        name = _file_name(profile, taken)
        taken.add(name)
        write_file(folder / name, profile_to_json(profile))
        say(str(folder / name))


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
            # Files may be some of many profiles; what the others could settle is said for the list only.
            others = None if files else [one for one in profiles if one is not profile]
            for warning in profile_warnings(profile, others):
                tell(f"{profile.title}: {warning}", "yellow")
        if problems:
            raise ConfigError(problems, hint="Correct the profiles.")
        say(f"{some(len(profiles), 'profile')}, no problems.")


def _listed() -> tuple[list[Profile], list[Problem]]:
    with opened_app(quiet=True) as app_:
        rows = app_.profiles.profiles()
    return [row.profile for row in rows if row.profile], all_problems(rows)


def _loaded(files: list[Path]) -> list[Profile]:
    found: list[Profile] = []
    problems: list[Problem] = []
    for path in files:
        try:
            found.append(profile_from_json(path.read_text(encoding="utf-8-sig"), f"file {path.name}"))
        except ConfigError as error:
            problems += error.problems
        except (OSError, UnicodeDecodeError) as error:
            problems.append(Problem(f"file {path}", f"can't be read ({type(error).__name__})."))
    titles = Counter(profile.title.casefold() for profile in found)
    problems += [
        Problem(f"profile '{profile.title}'", "is in more than one file.")
        for profile in found
        if titles[profile.title.casefold()] > 1
    ]
    if problems:
        raise ConfigError(problems, hint="Correct the files; nothing was saved.")
    return found


def _file_name(profile: Profile, taken: Collection[str]) -> str:
    """Order and title in plain letters; a number tells apart what looks the same without its signs."""
    plain_letters = profile.title.casefold().translate(_LETTERS)
    slug = re.sub(r"[^a-z0-9]+", "-", plain_letters).strip("-") or "profile"
    names = (f"{profile.order:02d}-{slug}{tail}.json" for tail in chain([""], (f"-{n}" for n in count(2))))
    return next(name for name in names if name not in taken)
