"""Settings: environment, `.env` and one TOML file -> frozen values. The only reader of the environment.

Order: environment, then `.env` in the working directory, then the file named by SYNC_CONFIG (default
config/settings.toml when it exists), then defaults. Secrets are taken from the environment or `.env` only: a secret in
the TOML file, which is meant to be committed, is refused. Every problem is reported at once, by variable name.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any, Literal, Self
from urllib.parse import urlsplit
from zoneinfo import available_timezones

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from worker.errors import ConfigError, Problem

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
DEFAULT_FILE = Path("config/settings.toml")
_HINT = "Set the variables named above (README, section Settings) and run: economic-sync check"

AuthMode = Literal["certificate", "managed-identity", "static-token", "client-secret"]


class _Group(BaseSettings):
    """Shared behaviour: frozen, unknown names refused, environment before `.env` before the file's table."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        # The signature is pydantic-settings'. What we pass in comes from the TOML file: it loses to the environment.
        return env_settings, dotenv_settings, init_settings


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
    customersapi_version: str = Field("v3.1.0", description="Version of the customers API; part of its address.")
    parallel: int = Field(4, ge=1, le=8, description="Pages read at the same time.")

    @field_validator("base_url", "openapi_url")
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


class Settings:
    """All groups. Made by `load_settings`; tests and the demo give the groups directly."""

    def __init__(self, economic: EconomicSettings, sharepoint: SharePointSettings, sync: SyncSettings) -> None:
        self.economic = economic
        self.sharepoint = sharepoint
        self.sync = sync


GROUPS: Mapping[str, type[_Group]] = {
    "economic": EconomicSettings,
    "sharepoint": SharePointSettings,
    "sync": SyncSettings,
}
_SECRETS = frozenset({"app_secret", "grant_token", "certificate_password", "client_secret", "token"})


def load_settings(file: Path | None = None) -> Settings:
    """Reads everything. Raises ConfigError with every missing or wrong setting, by variable name."""
    tables, problems = _file_tables(file)
    made: dict[str, Any] = {}
    for name, group in GROUPS.items():
        try:
            made[name] = group(**tables.get(name, {}))
        except ValidationError as error:
            problems += [_problem(name, one) for one in error.errors(include_input=False, include_url=False)]
    if problems:
        raise ConfigError(problems, hint=_HINT)
    return Settings(made["economic"], made["sharepoint"], made["sync"])


def load_sync_settings(file: Path | None = None) -> SyncSettings:
    """Only the worker's own group, for commands that need neither side. Raises ConfigError."""
    tables, problems = _file_tables(file)
    try:
        made = SyncSettings(**tables.get("sync", {}))
    except ValidationError as error:
        problems += [_problem("sync", one) for one in error.errors(include_input=False, include_url=False)]
        raise ConfigError(problems, hint=_HINT) from None
    if problems:
        raise ConfigError(problems, hint=_HINT)
    return made


def _file_tables(file: Path | None) -> tuple[dict[str, Any], list[Problem]]:
    named = file or (Path(os.environ["SYNC_CONFIG"]) if os.environ.get("SYNC_CONFIG") else None)
    path = named or DEFAULT_FILE
    if not path.exists():
        problem = Problem(f"settings file {path}", "does not exist.")
        return {}, [problem] if named else []
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        return {}, [Problem(f"settings file {path}", f"is not readable TOML: {error}.")]
    return tables, [problem for name, table in tables.items() for problem in _table_problems(path, name, table)]


def _table_problems(path: Path, name: str, table: object) -> list[Problem]:
    where = f"settings file {path}, table [{name}]"
    if name not in GROUPS or not isinstance(table, dict):
        return [Problem(where, "is not known.", tuple(GROUPS))]
    known = GROUPS[name].model_fields
    secrets = [key for key in table if key in _SECRETS]
    unknown = [key for key in table if key not in known]
    return [
        *[
            Problem(where, f"{key} is a secret: set the variable {name.upper()}_{key.upper()} instead.")
            for key in secrets
        ],
        *[Problem(where, f"{key} is not a setting.", tuple(known)) for key in unknown],
    ]


def _problem(group: str, error: Any) -> Problem:
    names = [str(part) for part in error["loc"]]
    variable = "_".join([group, *names[:1]]).upper() if names else f"{group.upper()}_AUTH"
    if error["type"] == "missing":
        description = GROUPS[group].model_fields[names[0]].description or ""
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
