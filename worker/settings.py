"""Settings: environment, `.env` and one TOML file -> frozen values. The only reader of the environment.

Order: environment, then `.env` in the working directory, then the file named by SYNC_CONFIG (default
config/settings.toml when it exists), then defaults. Secrets come by name from the environment, `.env`, a file named by
NAME_FILE, or the data directory's own secrets; a secret in the TOML file, which is meant to be committed, is refused.
Every problem is reported at once, by variable name.

One installation serves any number of connections (an e-conomic agreement and a CRM site). Without a table
[connections.NAME] there is one, called "default", made of the variables alone. With such tables, what a connection's
own table says wins over the shared variables, and its secrets are those its table `secrets` names.
"""

from __future__ import annotations

import os
import re
import stat
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dotenv import dotenv_values
from pydantic import SecretStr, ValidationError
from pydantic_settings import BaseSettings, InitSettingsSource, PydanticBaseSettingsSource

from worker.errors import ConfigError, Problem
from worker.setting_groups import (
    CreateSettings,
    EconomicSettings,
    EngineSettings,
    Group,
    SharePointSettings,
    SyncSettings,
)

__all__ = [
    "CreateSettings",
    "EconomicSettings",
    "EngineSettings",
    "Installation",
    "Settings",
    "SharePointSettings",
    "SyncSettings",
    "find_secret",
    "load_installation",
    "load_settings",
    "load_sync_settings",
]

DEFAULT_FILE = Path("config/settings.toml")
_HINT = "Set the variables named above (README, section Settings) and run: economic-sync check"


class Settings:
    """The groups of one connection. Made by `load_settings`; tests and the demo give the groups directly."""

    def __init__(
        self,
        economic: EconomicSettings,
        sharepoint: SharePointSettings,
        sync: SyncSettings,
        name: str = "default",
        create: CreateSettings | None = None,
    ) -> None:
        self.name = name
        self.economic = economic
        self.sharepoint = sharepoint
        self.sync = sync
        self.create = create or CreateSettings()


@dataclass(frozen=True)
class Installation:
    """Everything that is configured. `broken`: connections whose settings are wrong; they do not hold up the others."""

    engine: EngineSettings
    connections: Mapping[str, Settings]
    broken: Mapping[str, ConfigError] = field(default_factory=dict)
    platform_sign_in: bool = False  # the platform says that it signs people in before we see them
    insights: SecretStr | None = None  # connection string of Application Insights
    folder: Path = Path(".data")  # the data directory of the whole installation
    source: _File | None = None  # what the connections were made of; None = given as they are

    def economy_address(self, name: str) -> str | None:
        """Where a connection's economy cards are, with `{customer}` for the number; None when people can't reach the
        worker anywhere (ENGINE_PUBLIC_URL)."""
        if not self.engine.public_url:
            return None
        several = len(self.connections) + len(self.broken) > 1
        return f"{self.engine.public_url}/economy/{{customer}}" + (f"?connection={name}" if several else "")

    def grant_page(self, name: str) -> tuple[str, str]:
        """The e-conomic app's public token ("" when there is none) and the address of the page that grants access;
        known before there is a grant."""
        economic: Group | None = self.connections[name].economic if name in self.connections else None
        if economic is None and self.source is not None:
            own = self.source.own.get(name, {})
            values = {**own.get("economic", {}), "grant_token": "not granted yet"}
            economic, _ = _group("economic", EconomicSettings, self.source, values, own.get("secrets", {}))
        if not isinstance(economic, EconomicSettings):
            return "", ""
        return economic.app_public_token or "", economic.grant_url

    def connection(self, name: str, own: Mapping[str, Mapping[str, Any]]) -> Settings:
        """One connection with some values changed: group -> setting -> value. Raises ConfigError."""
        if self.source is None:
            return _changed(self.connections[name], own)
        made, wrong = _connection(self.source, name, own)
        if made is None:
            raise ConfigError(wrong, hint=_HINT)
        return made

    def secrets(self) -> list[str]:
        """Every secret value, for masking."""
        groups: list[BaseSettings] = [self.engine]
        for one in self.connections.values():
            groups += [one.economic, one.sharepoint, one.sync]
        values = [value for group in groups for _, value in group if isinstance(value, SecretStr)]
        return [value.get_secret_value() for value in [*values, *([self.insights] if self.insights else [])]]


GROUPS: Mapping[str, type[Group]] = {
    "economic": EconomicSettings,
    "sharepoint": SharePointSettings,
    "sync": SyncSettings,
    "create": CreateSettings,
}
DEFAULT_CONNECTION = "default"
_ENGINE = "engine"
_SECRETS: Mapping[str, tuple[str, ...]] = {
    "economic": ("app_secret", "grant_token"),
    "sharepoint": ("certificate_password", "client_secret", "token"),
    "sync": (),
    "create": (),
    _ENGINE: ("storage_connection", "api_key", "alert_url"),
}
_ALL_SECRETS = frozenset(name for names in _SECRETS.values() for name in names)
_CONNECTION = re.compile(r"[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?")


@dataclass(frozen=True)
class _File:
    """The TOML file's tables, checked. `own`: connection -> table -> values."""

    shared: Mapping[str, Mapping[str, Any]]
    own: Mapping[str, Mapping[str, Mapping[str, Any]]]
    problems: Sequence[Problem]
    env: Mapping[str, str | None]  # of `.env`


def load_settings(file: Path | None = None, connection: str | None = None) -> Settings:
    """One connection; the only one when none is named. Raises ConfigError with every missing or wrong setting, by
    variable name."""
    read = _read_file(file)
    names = tuple(read.own) or (DEFAULT_CONNECTION,)
    problems = list(read.problems)
    if connection is None and len(names) > 1:
        problems.append(Problem("--connection", "is needed, since there are several.", names))
    elif connection is not None and connection not in names:
        problems.append(Problem(f"connection '{connection}'", "is not configured.", names))
    chosen = connection if connection in names else names[0]
    made, wrong = _connection(read, chosen)
    if problems or made is None:
        raise ConfigError([*problems, *wrong], hint=_HINT)
    return made


def load_sync_settings(file: Path | None = None) -> SyncSettings:
    """Only the worker's own group, for commands that need neither side. Raises ConfigError."""
    read = _read_file(file)
    made, problems = _group("sync", SyncSettings, read, {}, {})
    if read.problems or made is None:
        raise ConfigError([*read.problems, *problems], hint=_HINT)
    assert isinstance(made, SyncSettings)  # noqa: S101  # for the type checker
    return made


def load_installation(file: Path | None = None, **engine_values: Any) -> Installation:
    """Everything, for a worker that runs by itself; `engine_values` win over the ENGINE settings. Raises ConfigError
    when the file or the ENGINE settings are wrong."""
    read = _read_file(file)
    engine, problems = _group(_ENGINE, EngineSettings, read, engine_values, {})
    problems = [*read.problems, *problems]
    good: dict[str, Settings] = {}
    broken: dict[str, ConfigError] = {}
    for name in tuple(read.own) or (DEFAULT_CONNECTION,):
        made, wrong = _connection(read, name)
        if made is None:
            broken[name] = ConfigError(wrong, hint=_HINT)
        else:
            good[name] = made
    if problems or engine is None:
        raise ConfigError(problems, hint=_HINT)
    assert isinstance(engine, EngineSettings)  # noqa: S101  # for the type checker
    insights = os.environ.get("APPLICATIONINSIGHTS_CONNECTION_STRING")
    return Installation(
        engine=engine,
        connections=good,
        broken=broken,
        platform_sign_in=os.environ.get("WEBSITE_AUTH_ENABLED", "").casefold() == "true",
        insights=SecretStr(insights) if insights else None,
        folder=_folder(read),
        source=read,
    )


def _changed(settings: Settings, own: Mapping[str, Mapping[str, Any]]) -> Settings:
    made: dict[str, Any] = {}
    problems: list[Problem] = []
    for group, kind in GROUPS.items():
        before: Group = getattr(settings, group)
        try:
            made[group] = kind(**{**before.model_dump(), **own[group]}) if own.get(group) else before
        except ValidationError as error:
            problems += [_problem(group, one) for one in error.errors(include_input=False, include_url=False)]
    if problems:
        raise ConfigError(problems, hint=_HINT)
    return Settings(made["economic"], made["sharepoint"], made["sync"], settings.name, made["create"])


def _connection(
    read: _File, name: str, typed: Mapping[str, Mapping[str, Any]] | None = None
) -> tuple[Settings | None, list[Problem]]:
    """`typed` wins over everything else."""
    own = read.own.get(name, {})
    made: dict[str, Any] = {}
    problems: list[Problem] = []
    for group, kind in GROUPS.items():
        values = {**own.get(group, {}), **(typed or {}).get(group, {})}
        made[group], wrong = _group(group, kind, read, values, own.get("secrets", {}))
        where = f"connection '{name}', " if read.own else ""
        problems += [Problem(f"{where}{one.where}", one.message, one.allowed) for one in wrong]
    if problems:
        return None, problems
    return Settings(made["economic"], made["sharepoint"], made["sync"], name, made["create"]), []


def _group(
    group: str, kind: type[Group], read: _File, own: Mapping[str, Any], secret_names: Mapping[str, Any]
) -> tuple[Group | None, list[Problem]]:
    """One group: a connection's own values, then the variables, then the file's shared table."""
    shared = dict(read.shared.get(group, {}))
    values = dict(own)
    problems: list[Problem] = []
    for secret in _SECRETS[group]:
        if secret in own:
            continue
        name = str(secret_names.get(secret, f"{group}_{secret}".upper()))
        try:
            found = find_secret(name, _folder(read), read.env)
        except ConfigError as error:
            problems += error.problems
            continue
        if found is not None:
            values[secret] = found
        elif secret in secret_names:
            problems.append(Problem(name, f"is not set; the connection names it as its {secret}."))
    try:
        return _layered(kind, shared)(**values), problems
    except ValidationError as error:
        wrong = error.errors(include_input=False, include_url=False)
        return None, [*problems, *(_problem(group, one) for one in wrong)]


def _layered(kind: type[Group], shared: Mapping[str, Any]) -> type[Group]:
    """`kind` with the file's shared table as its last source."""

    class Layered(kind):  # type: ignore[misc, valid-type]
        @classmethod
        def settings_customise_sources(
            cls,
            settings_cls: type[BaseSettings],
            init_settings: PydanticBaseSettingsSource,
            env_settings: PydanticBaseSettingsSource,
            dotenv_settings: PydanticBaseSettingsSource,
            file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        ) -> tuple[PydanticBaseSettingsSource, ...]:
            return init_settings, env_settings, dotenv_settings, InitSettingsSource(settings_cls, dict(shared))

    Layered.__name__ = kind.__name__
    return Layered


def _folder(read: _File) -> Path:
    named = read.shared.get("sync", {}).get("data_dir") or os.environ.get("SYNC_DATA_DIR")
    return Path(named or read.env.get("SYNC_DATA_DIR") or ".data")


def find_secret(name: str, data_dir: Path, env: Mapping[str, str | None]) -> str | None:
    """A secret by its name: the variable, `.env` (`env`), the file NAME_FILE names, then the data directory's own.

    Raises ConfigError when a file can't be read, or others than its owner may read the stored one.
    """
    direct = os.environ.get(name) or env.get(name)
    if direct:
        return direct
    named = os.environ.get(f"{name}_FILE")
    stored = data_dir / "secrets" / name
    if not named and not stored.is_file():
        return None
    path = Path(named) if named else stored
    try:
        if not named and os.name == "posix" and stat.S_IMODE(path.stat().st_mode) & 0o077:
            raise ConfigError([Problem(f"secret {name}", f"can be read by others. Next: chmod 600 {path}")])
        return path.read_text(encoding="utf-8").strip() or None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError([Problem(f"{name}_FILE", f"can't be read ({type(error).__name__}).")]) from None


def _read_file(file: Path | None) -> _File:
    named = file or (Path(os.environ["SYNC_CONFIG"]) if os.environ.get("SYNC_CONFIG") else None)
    path, env = named or DEFAULT_FILE, dotenv_values(".env")
    if not path.exists():
        return _File({}, {}, [Problem(f"settings file {path}", "does not exist.")] if named else [], env)
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        return _File({}, {}, [Problem(f"settings file {path}", f"is not readable TOML: {error}.")], env)
    own = tables.pop("connections", {})
    problems = [problem for name, table in tables.items() for problem in _table_problems(path, name, table)]
    problems += _connection_problems(path, own)
    if problems:
        own = own if isinstance(own, dict) and all(isinstance(one, dict) for one in own.values()) else {}
        tables = {name: table for name, table in tables.items() if isinstance(table, dict)}
    return _File(tables, own, problems, env)


def _connection_problems(path: Path, own: object) -> Iterator[Problem]:
    where = f"settings file {path}, table [connections"
    if not isinstance(own, dict):
        yield Problem(f"{where}]", "is not a table of connections.")
        return
    for name, tables in own.items():
        here = f"{where}.{name}]"
        if not _CONNECTION.fullmatch(name):
            yield Problem(here, "has a name of other signs than a-z, 0-9 and '-', or of more than 40.")
        if not isinstance(tables, dict):
            yield Problem(here, "is not a table.")
            continue
        for group, table in tables.items():
            if group == "secrets":
                yield from _secret_name_problems(f"{where}.{name}.secrets]", table)
            else:
                yield from _table_problems(path, group, table, f"connections.{name}.")


def _secret_name_problems(where: str, table: object) -> Iterator[Problem]:
    if not isinstance(table, dict):
        yield Problem(where, "is not a table of names.")
        return
    for key, name in table.items():
        if key not in _ALL_SECRETS - set(_SECRETS[_ENGINE]):
            yield Problem(where, f"{key} is not a secret of a connection.", tuple(sorted(_ALL_SECRETS)))
        if not (isinstance(name, str) and re.fullmatch(r"[A-Z][A-Z0-9_]{0,99}", name)):
            yield Problem(where, f"{key} must be the name of a secret, in capitals such as ACME_GRANT_TOKEN.")


def _table_problems(path: Path, name: str, table: object, prefix: str = "") -> list[Problem]:
    where = f"settings file {path}, table [{prefix}{name}]"
    groups: Mapping[str, type[Group]] = GROUPS if prefix else {**GROUPS, _ENGINE: EngineSettings}
    if name not in groups or not isinstance(table, dict):
        return [Problem(where, "is not known.", (*groups, *(["secrets"] if prefix else ["connections"])))]
    known = groups[name].model_fields
    secrets = [key for key in table if key in _SECRETS[name]]
    unknown = [key for key in table if key not in known]
    return [
        *[
            Problem(where, f"{key} is a secret: set the variable {name.upper()}_{key.upper()} instead.")
            for key in secrets
        ],
        *[Problem(where, f"{key} is not a setting.", tuple(known)) for key in unknown],
    ]


def _problem(group: str, error: Any) -> Problem:
    kinds: Mapping[str, type[Group]] = {**GROUPS, _ENGINE: EngineSettings}
    names = [str(part) for part in error["loc"]]
    lonely = {_ENGINE: "ENGINE_STORE", "create": "CREATE_NUMBER_FIRST"}.get(group, f"{group.upper()}_AUTH")
    variable = "_".join([group, *names[:1]]).upper() if names else lonely
    if error["type"] == "missing":
        description = kinds[group].model_fields[names[0]].description or ""
        return Problem(variable, f"is not set. {description}")
    message = str(error["msg"]).removeprefix("Value error, ")
    return Problem(variable, message if message.endswith(".") else f"{message}.")
