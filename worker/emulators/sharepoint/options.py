"""What an emulated site can be told at start: address, tokens and roles, clock, limits and prices."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Literal, cast, get_args
from zoneinfo import ZoneInfo

Role = Literal["none", "read", "write", "manage"]
ROLES: tuple[str, ...] = get_args(Role)


def as_role(text: str) -> Role:
    """The role named `text`; ValueError names the roles."""
    if text not in ROLES:
        raise ValueError(f"a role is one of {', '.join(ROLES)}, not {text!r}")
    return cast("Role", text)


@dataclass(frozen=True)
class SharePointOptions:
    """Options of the emulator; the numbers are the documented limits of SharePoint Online.

    A request header `X-Emulator-User: 9` makes the person with that id (see people.py) the editor.
    `token` has the role `role`; `roles` gives further tokens theirs. `today` moves the day, never the time of day.
    `ru_per_minute` is the app's budget of resource units (0 = no limit); a single item read costs 1, any other
    read 2, a write 2 (throttling guide; prices of SharePoint REST itself are not published).
    """

    token: str = "test-token"  # noqa: S105  (the documented default of a loopback emulator)
    role: Role = "manage"
    roles: Mapping[str, Role] = field(default_factory=dict)
    today: Callable[[], date] | None = None
    latency_ms: float = 0.0
    slow_ms: float = 2000.0
    site_path: str = "/sites/crm"
    web_title: str = "CRM"
    zone: str = "Europe/Copenhagen"
    list_view_threshold: int = 5000
    lookup_threshold: int = 12
    max_indexes: int = 20
    index_item_limit: int = 20_000
    delete_list_limit: int = 100_000
    max_batch_parts: int = 1000
    change_log_days: int = 60
    ru_per_minute: int = 1250
    ru_item_read: float = 1.0
    ru_read: float = 2.0
    ru_write: float = 2.0

    @property
    def tzinfo(self) -> ZoneInfo:
        """The site's time zone."""
        return ZoneInfo(self.zone)

    def now(self) -> datetime:
        """The present moment in UTC, on the day `today` says."""
        now = datetime.now(UTC)
        return now if self.today is None else datetime.combine(self.today(), now.timetz())
