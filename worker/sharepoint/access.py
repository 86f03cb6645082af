"""What the app may do on the site: the facts and problems that `check` shows, each with its next step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from worker.errors import AccessDeniedError, ConfigError, NotFoundError, Problem
from worker.sharepoint.faults import GRANT_HINT

if TYPE_CHECKING:
    from worker.sharepoint.site import SharePointSite

# Low half of SharePoint's base permissions.
_VIEW, _ADD, _EDIT, _MANAGE_LISTS = 0x1, 0x2, 0x4, 0x800


@dataclass(frozen=True)
class Access:
    """The site as the app sees it. `lists`: definition's title -> title and items on the site, or None."""

    title: str = ""
    url: str = ""
    can_read: bool = False
    can_write: bool = False
    can_manage: bool = False
    zone: str = ""
    lists: tuple[tuple[str, str | None, int], ...] = ()
    problems: tuple[Problem, ...] = ()


def check_access(site: SharePointSite) -> Access:
    """Asks the site, its rights and its lists. Raises only what makes asking pointless (sign-in, network)."""
    try:
        web = site.client.get_json("web", {"$select": "Title,Url"})
        rights = _rights(site.client.get_json("web/EffectiveBasePermissions"))
    except NotFoundError:
        problem = Problem("SharePoint site", f"There is no site at {site.client.site_url}. Check SHAREPOINT_SITE_URL.")
        return Access(url=site.client.site_url, problems=(problem,))
    except AccessDeniedError:
        problem = Problem("SharePoint site", f"The app may not open it. {GRANT_HINT}")
        return Access(url=site.client.site_url, problems=(problem,))
    zone, unknown = _zone(site)
    found = [(definition.title, site.find_list(key)) for key, definition in site.definitions.items()]
    missing = [title for title, info in found if info is None]
    return Access(
        title=str(web.get("Title") or ""),
        url=str(web.get("Url") or site.client.site_url),
        can_read=bool(rights & _VIEW),
        can_write=bool(rights & _ADD and rights & _EDIT),
        can_manage=bool(rights & _MANAGE_LISTS),
        zone=zone,
        lists=tuple((title, info.title if info else None, info.item_count if info else 0) for title, info in found),
        problems=(*_too_few(rights), *unknown, *_missing_lists(missing, rights)),
    )


def _zone(site: SharePointSite) -> tuple[str, tuple[Problem, ...]]:
    try:
        return site.zone.key, ()
    except ConfigError as error:
        return "", tuple(Problem(one.where, f"{one.message} {error.hint}") for one in error.problems)


def _rights(answer: Any) -> int:
    """The low half of the rights, from a plain answer or one under the property's name."""
    value = answer.get("EffectiveBasePermissions", answer)
    return int(value.get("Low") or 0)


def _too_few(rights: int) -> list[Problem]:
    if not rights & _VIEW:
        return [Problem("SharePoint rights", f"The app may not read the lists. {GRANT_HINT}")]
    if not (rights & _ADD and rights & _EDIT):
        return [Problem("SharePoint rights", "The app may read but not write. Ask for the role 'write' on this site.")]
    return []


def _missing_lists(titles: list[str], rights: int) -> list[Problem]:
    if not titles:
        return []
    able = bool(rights & _MANAGE_LISTS)
    step = (
        "Run: economic-sync provision"
        if able
        else (
            "Provisioning needs the role 'manage' or 'fullcontrol' on the site for once; then lower it to 'write' again"
        )
    )
    return [Problem("SharePoint lists", f"Not on the site: {', '.join(titles)}. {step}.")]
