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
from datetime import date
from pathlib import Path
from typing import Any, Literal, Self
from urllib.parse import urlsplit
from zoneinfo import available_timezones

from dotenv import dotenv_values
from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, InitSettingsSource, PydanticBaseSettingsSource, SettingsConfigDict

from worker.errors import ConfigError, Problem

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
DEFAULT_FILE = Path("config/settings.toml")
_HINT = "Set the variables named above (README, section Settings) and run: economic-sync check"

AuthMode = Literal["certificate", "managed-identity", "static-token", "client-secret"]


class _Group(BaseSettings):
    """Shared behaviour: frozen, unknown names refused. Values given in code win over variables."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        # The signature is pydantic-settings'.
        return init_settings, env_settings, dotenv_settings


def _config(prefix: str) -> SettingsConfigDict:
    return SettingsConfigDict(
        env_prefix=prefix,
        env_file=".env",
        env_file_encoding="utf-8",
        env_ignore_empty=True,
        extra="ignore",  # other programs' variables with the same prefix are none of our business
        frozen=True,
        hide_input_in_errors=True,
    )


class EconomicSettings(_Group):
    """ECONOMIC_*: where the books are and how we may read them."""

    model_config = _config("ECONOMIC_")

    app_secret: SecretStr = Field(description="App secret token of your e-conomic app (X-AppSecretToken).")
    grant_token: SecretStr = Field(description="Grant token the customer's administrator gave (X-AgreementGrantToken).")
    agreement: int | None = Field(
        None, description="Agreement number the tokens must belong to; a guard against mix-ups."
    )
    base_url: str = Field("https://restapi.e-conomic.com", description="Classic REST API.")
    openapi_url: str = Field("https://apis.e-conomic.com", description="OpenAPI services (contacts).")
    app_public_token: str | None = Field(None, description="Public token of your e-conomic app, for the grant page.")
    grant_url: str = Field(
        "https://secure.e-conomic.com/secure/api1/requestaccess.aspx", description="Page where access is granted."
    )
    customersapi_version: str = Field("v3.1.0", description="Version of the customers API; part of its address.")
    parallel: int = Field(4, ge=1, le=8, description="Pages read at the same time.")

    @field_validator("base_url", "openapi_url", "grant_url")
    @classmethod
    def _address(cls, value: str) -> str:
        return _checked_url(value)


class SharePointSettings(_Group):
    """SHAREPOINT_*: the CRM's site and the identity that may write to it."""

    model_config = _config("SHAREPOINT_")

    site_url: str = Field(description="Address of the CRM site, e.g. https://contoso.sharepoint.com/sites/crm.")
    auth: AuthMode = Field("certificate", description="certificate, managed-identity, or static-token (loopback only).")
    tenant_id: str | None = Field(None, description="Entra tenant id or domain (certificate).")
    client_id: str | None = Field(
        None, description="Application (client) id; for a user-assigned identity its client id."
    )
    certificate_path: Path | None = Field(None, description="PEM (key and certificate) or PFX file.")
    certificate_password: SecretStr | None = Field(None, description="Password of the PFX or of the PEM's key.")
    client_secret: SecretStr | None = Field(
        None, description="Not usable: SharePoint refuses it. Named so that we can say so."
    )
    token: SecretStr | None = Field(None, description="Bearer token of the local emulator (static-token).")
    concurrency: int = Field(2, ge=1, le=4, description="Batches sent at the same time.")
    units_per_minute: int = Field(1250, ge=1, description="Resource units the tenant allows per minute (by licences).")
    units_share: float = Field(0.7, gt=0, le=1, description="Share of these units the worker may use.")
    time_zone: str | None = Field(None, description="IANA zone of the site; default: read from the site.")
    lists: Mapping[str, str] = Field(
        default_factory=dict, description="Target -> list title, site-relative address or GUID (TOML table)."
    )
    columns: Mapping[str, Mapping[str, str]] = Field(
        default_factory=dict, description="Target -> logical column -> internal name (TOML tables)."
    )

    @field_validator("site_url")
    @classmethod
    def _address(cls, value: str) -> str:
        return _checked_url(value)

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.auth == "certificate":
            missing = [name for name in ("tenant_id", "client_id", "certificate_path") if not getattr(self, name)]
            if missing:
                names = ", ".join(f"SHAREPOINT_{name.upper()}" for name in missing)
                raise ValueError(f"signing in with a certificate also needs {names}")
        if self.auth == "static-token":
            if self.token is None:
                raise ValueError("static-token needs SHAREPOINT_TOKEN")
            if urlsplit(self.site_url).hostname not in LOOPBACK:
                raise ValueError(
                    "static-token is for the local emulator; it is refused for any address that is not loopback"
                )
        return self


class SyncSettings(_Group):
    """SYNC_*: the worker itself."""

    model_config = _config("SYNC_")

    data_dir: Path = Field(Path(".data"), description="Lock file, plans and logs.")
    config_dir: Path | None = Field(
        None, description="Where lists/ and profiles/ are; default: shipped with the worker."
    )
    time_zone: str = Field("Europe/Copenhagen", description="The agreement's local time; decides what 'today' is.")
    as_of: date | None = Field(None, description="Work as if it were this day (YYYY-MM-DD); for trials and repeats.")
    financial_year_start: str | None = Field(
        None, description="MM-DD; overrides e-conomic's accounting years. Totals are then not compared."
    )
    language: Literal["en", "da"] = Field(
        "en", description="Language of row results and of the titles that provisioning gives."
    )
    companies_unique_key: bool = Field(
        False, description="Provision Customer ID as a unique column; only if the tenant accepts several blanks."
    )
    trend_growing_pct: float = Field(10, gt=0, description="From this change on a customer is Growing.")
    trend_declining_pct: float = Field(-10, lt=0, description="From this change on a customer is Declining.")
    trend_lapsed_months: int = Field(12, ge=1, description="Months without an invoice until Lapsed.")
    trend_new_months: int = Field(12, ge=1, description="Months since the first invoice while New.")

    @field_validator("financial_year_start")
    @classmethod
    def _month_day(cls, value: str | None) -> str | None:
        if value is not None and not re.fullmatch(r"(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])", value):
            raise ValueError("must be a month and a day, MM-DD, such as 07-01")
        return value

    @field_validator("time_zone")
    @classmethod
    def _zone(cls, value: str) -> str:
        if value not in available_timezones():
            raise ValueError("is not a time zone name such as Europe/Copenhagen")
        return value


class EngineSettings(_Group):
    """ENGINE_*: how the worker runs by itself; one for the whole installation."""

    model_config = _config("ENGINE_")

    store: Literal["sqlite", "azure"] = Field("sqlite", description="Where work is kept: one file, or Azure storage.")
    storage_account: str | None = Field(None, description="Storage account name, signed in to with an identity.")
    storage_connection: SecretStr | None = Field(None, description="Connection string instead of an identity.")
    storage_blob_url: str | None = Field(None, description="Address of the blob service when it is not the usual one.")
    storage_queue_url: str | None = Field(None, description="Address of the queue service, likewise.")
    storage_identity: str | None = Field(None, description="Client id of a user-assigned identity for the storage.")
    vault_url: str | None = Field(
        None, description="Key Vault for tokens saved in the console; without it they are files of the data directory."
    )
    queue: str = Field("sync", pattern=r"^[a-z0-9](-?[a-z0-9]){2,55}$", description="Name of the queue.")
    container: str = Field("sync", pattern=r"^[a-z0-9](-?[a-z0-9]){2,62}$", description="Name of the blob container.")
    function_limit: float = Field(600, ge=10, description="Seconds one invocation may take before it is killed.")
    budget: float | None = Field(
        None, gt=0, description="Seconds of work per message; default: 300, at most 60 % of the limit."
    )
    tick: float = Field(30, ge=1, description="Seconds between looks at the schedules (serve).")
    workers: int = Field(2, ge=1, le=16, description="Messages worked on at the same time (serve).")
    slots: int = Field(4, ge=1, le=16, description="Workers that may write to one tenant at the same time.")
    profiles_refresh: float = Field(60, ge=0, description="Seconds for which read schedules are believed.")
    keep_days: int = Field(30, ge=1, description="Days for which finished jobs and their plans are kept.")
    host: str = Field("127.0.0.1", description="Address to listen on (serve).")
    port: int = Field(8642, ge=0, le=65535, description="Port to listen on (serve); 0 takes a free one.")
    public_url: str | None = Field(None, description="Address people reach the worker at, for links.")
    api_key: SecretStr | None = Field(None, description="Key that programs send as x-functions-key.")
    alert_url: SecretStr | None = Field(None, description="Webhook that is told of failures; a secret, it holds a key.")
    alert_format: Literal["plain", "teams"] = Field("plain", description="Plain JSON, or a card for Teams.")
    otlp_url: str | None = Field(None, description="Address of an OpenTelemetry collector (OTLP over HTTP).")
    trace_share: float = Field(1.0, ge=0, le=1, description="Share of traces that are kept.")
    log_format: Literal["text", "json"] = Field("text", description="Log lines for people or for programs.")
    economy_for: Literal["role", "everyone"] = Field(
        "role", description="Who sees economy cards: holders of the role Sync.Economy, or everyone who is signed in."
    )

    @field_validator("public_url", "otlp_url", "storage_blob_url", "storage_queue_url", "vault_url")
    @classmethod
    def _address(cls, value: str | None) -> str | None:
        return None if value is None else _checked_url(value)

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.store == "azure" and not (
            self.storage_account or self.storage_connection or (self.storage_blob_url and self.storage_queue_url)
        ):
            raise ValueError("azure needs ENGINE_STORAGE_ACCOUNT, or ENGINE_STORAGE_CONNECTION")
        return self

    @property
    def slice_seconds(self) -> float:
        """How long one message is worked on before the rest is left to the next one."""
        return min(300.0, 0.6 * self.function_limit, self.budget or 300.0)


class Settings:
    """The groups of one connection. Made by `load_settings`; tests and the demo give the groups directly."""

    def __init__(
        self,
        economic: EconomicSettings,
        sharepoint: SharePointSettings,
        sync: SyncSettings,
        name: str = "default",
    ) -> None:
        self.name = name
        self.economic = economic
        self.sharepoint = sharepoint
        self.sync = sync


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
        economic: _Group | None = self.connections[name].economic if name in self.connections else None
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


GROUPS: Mapping[str, type[_Group]] = {
    "economic": EconomicSettings,
    "sharepoint": SharePointSettings,
    "sync": SyncSettings,
}
DEFAULT_CONNECTION = "default"
_ENGINE = "engine"
_SECRETS: Mapping[str, tuple[str, ...]] = {
    "economic": ("app_secret", "grant_token"),
    "sharepoint": ("certificate_password", "client_secret", "token"),
    "sync": (),
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
        before: _Group = getattr(settings, group)
        try:
            made[group] = kind(**{**before.model_dump(), **own[group]}) if own.get(group) else before
        except ValidationError as error:
            problems += [_problem(group, one) for one in error.errors(include_input=False, include_url=False)]
    if problems:
        raise ConfigError(problems, hint=_HINT)
    return Settings(made["economic"], made["sharepoint"], made["sync"], settings.name)


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
    return Settings(made["economic"], made["sharepoint"], made["sync"], name), []


def _group(
    group: str, kind: type[_Group], read: _File, own: Mapping[str, Any], secret_names: Mapping[str, Any]
) -> tuple[_Group | None, list[Problem]]:
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


def _layered(kind: type[_Group], shared: Mapping[str, Any]) -> type[_Group]:
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
    groups: Mapping[str, type[_Group]] = GROUPS if prefix else {**GROUPS, _ENGINE: EngineSettings}
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
    kinds: Mapping[str, type[_Group]] = {**GROUPS, _ENGINE: EngineSettings}
    names = [str(part) for part in error["loc"]]
    lonely = {_ENGINE: "ENGINE_STORE"}.get(group, f"{group.upper()}_AUTH")
    variable = "_".join([group, *names[:1]]).upper() if names else lonely
    if error["type"] == "missing":
        description = kinds[group].model_fields[names[0]].description or ""
        return Problem(variable, f"is not set. {description}")
    message = str(error["msg"]).removeprefix("Value error, ")
    return Problem(variable, message if message.endswith(".") else f"{message}.")


def _checked_url(value: str) -> str:
    parts = urlsplit(value.strip())
    if parts.scheme not in {"https", "http"} or not parts.hostname:
        raise ValueError("must be an address that starts with https://")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise ValueError("must be a plain address without user, query or fragment")
    if parts.scheme == "http" and parts.hostname not in LOOPBACK:
        raise ValueError("must start with https:// (plain http is for loopback addresses only)")
    return value.strip().rstrip("/")
