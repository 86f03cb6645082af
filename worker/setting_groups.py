"""The groups of settings: names, defaults, meanings, and what makes a value wrong. `settings` reads them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Literal, Self
from urllib.parse import urlsplit
from zoneinfo import available_timezones

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
AuthMode = Literal["certificate", "managed-identity", "static-token", "client-secret"]


class Group(BaseSettings):
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


class EconomicSettings(Group):
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
    bookedentriesapi_version: str = Field("v4.0.0", description="Version of the ledger's API, likewise.")
    webhooksapi_version: str = Field("v1.0.0", description="Version of the webhooks API, likewise.")
    parallel: int = Field(4, ge=1, le=8, description="Pages read at the same time.")

    @field_validator("base_url", "openapi_url", "grant_url")
    @classmethod
    def _address(cls, value: str) -> str:
        return _checked_url(value)


class SharePointSettings(Group):
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


class SyncSettings(Group):
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
    reconcile_schedule: str = Field(
        "0 5 * * 0", description="When both systems are compared (cron, in the zone above); off = never by itself."
    )
    digest_schedule: str = Field(
        "off", description="When account managers' news are sent to the alert webhook (cron), e.g. 0 7 * * 1-5."
    )
    digest_big_order: float = Field(
        50_000, gt=0, description="Net amount, base currency, from which an invoice is news."
    )
    undo_days: int = Field(30, ge=1, description="Days for which a run can be undone.")
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

    @field_validator("reconcile_schedule", "digest_schedule")
    @classmethod
    def _schedule(cls, value: str) -> str:
        if value != "off" and not re.fullmatch(r"\S+( \S+){4}", value.strip()):
            raise ValueError("must be five fields such as 0 5 * * 0, or off")
        return value.strip()

    @field_validator("time_zone")
    @classmethod
    def _zone(cls, value: str) -> str:
        if value not in available_timezones():
            raise ValueError("is not a time zone name such as Europe/Copenhagen")
        return value


# Columns of companies whose values e-conomic has in one text of its own.
SENDABLE = ("EMail", "Phone", "Mobile", "Website", "Address", "Zip", "City", "Country", "EAN")


class CreateSettings(Group):
    """CREATE_*: customers that are created in e-conomic for companies of the CRM; switched off unless said."""

    model_config = _config("CREATE_")

    allow: bool = Field(False, description="Whether customers may be created in e-conomic from the CRM.")
    group: str | None = Field(None, description="Customer group of new customers, by number or name.")
    payment_terms: str | None = Field(None, description="Their payment terms, by number or name.")
    vat_zone: str | None = Field(None, description="Their VAT zone, by number or name.")
    currency: str | None = Field(None, pattern=r"^[A-Za-z]{3}$", description="Their currency, such as DKK.")
    number_first: int | None = Field(
        None, ge=1, le=999_999_999, description="First customer number the worker may give; blank = e-conomic chooses."
    )
    number_last: int | None = Field(None, ge=1, le=999_999_999, description="Last such number.")
    without_cvr: bool = Field(
        False, description="Whether companies without a CVR number (private persons) may be created."
    )
    contact: bool = Field(False, description="Whether the company's first contact is created with it.")

    send: str = Field(
        "", description="Columns of companies that the CRM owns: sent to e-conomic after a timed run, e.g. EMail."
    )

    @field_validator("send")
    @classmethod
    def _columns(cls, value: str) -> str:
        names = [part.strip() for part in value.split(",") if part.strip()]
        strange = [name for name in names if name not in SENDABLE]
        if strange:
            raise ValueError(f"{', '.join(strange)} can't be sent; possible are {', '.join(SENDABLE)}")
        return ", ".join(dict.fromkeys(names))

    @field_validator("group", "payment_terms", "vat_zone", "currency", mode="before")
    @classmethod
    def _plain(cls, value: object) -> object:
        # A number is what people write in TOML.
        return str(value).strip() or None if value is not None else None

    @model_validator(mode="after")
    def _range(self) -> Self:
        if (self.number_first is None) != (self.number_last is None):
            raise ValueError("a number range needs CREATE_NUMBER_FIRST and CREATE_NUMBER_LAST")
        if self.number_first and self.number_last and self.number_first > self.number_last:
            raise ValueError("must not be above CREATE_NUMBER_LAST")
        return self


class EngineSettings(Group):
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


def _checked_url(value: str) -> str:
    parts = urlsplit(value.strip())
    if parts.scheme not in {"https", "http"} or not parts.hostname:
        raise ValueError("must be an address that starts with https://")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise ValueError("must be a plain address without user, query or fragment")
    if parts.scheme == "http" and parts.hostname not in LOOPBACK:
        raise ValueError("must start with https:// (plain http is for loopback addresses only)")
    return value.strip().rstrip("/")
