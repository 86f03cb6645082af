"""The web itself over REST: context, regional settings, rights and people (reference, sections 4.1 and 6)."""

from __future__ import annotations

from typing import Any

from worker.emulators.sharepoint import errors
from worker.emulators.sharepoint.calls import Call, select, shaped
from worker.emulators.sharepoint.formats import Entity, Named, Result
from worker.emulators.sharepoint.people import find_user, user_json
from worker.emulators.sharepoint.values import TypedDict

_RIGHTS = {"none": (0, 0), "read": (176, 138612833), "write": (176, 138613759), "manage": (2147483647, 4294967295)}


def read_context(call: Call) -> Result:
    """contextInfo, in verbose under the method's name. 1800 s, so that clients ask once."""
    stamped = call.site.options.now().strftime("%d %b %Y %H:%M:%S -0000")
    versions = {"results": ["14.0.0.0", "15.0.0.0"]} if call.format == "verbose" else ["14.0.0.0", "15.0.0.0"]
    value = TypedDict(
        "SP.ContextWebInformation",
        {
            "FormDigestTimeoutSeconds": 1800,
            "FormDigestValue": f"0x{call.store.identity('digest').replace('-', '').upper()},{stamped}",
            "LibraryVersion": "16.0.26000.12000",
            "SiteFullUrl": call.base,
            "SupportedSchemaVersions": versions,
            "WebFullUrl": call.base,
        },
    )
    return Result(Named("GetContextWebInformation", value))


def read_web(call: Call) -> Result:
    options = call.site.options
    value = {
        "AllowRssFeeds": True,
        "Configuration": 0,
        "Created": "2026-01-05T08:00:00",
        "Description": "",
        "Id": call.store.identity("web"),
        "Language": 1033,
        "LastItemModifiedDate": call.now(),
        "MasterUrl": f"{options.site_path}/_catalogs/masterpage/seattle.master",
        "NoCrawl": False,
        "QuickLaunchEnabled": True,
        "RecycleBinEnabled": True,
        "ServerRelativeUrl": options.site_path,
        "Title": options.web_title,
        "UIVersion": 15,
        "Url": call.base,
        "WebTemplate": "STS",
        "WelcomePage": "SitePages/Home.aspx",
    }
    expand = {name.split("/")[0].lower() for name in call.names("expand")}
    if "regionalsettings" in expand:
        value["RegionalSettings"] = TypedDict("SP.RegionalSettings", _regional())
    if "currentuser" in expand:
        value["CurrentUser"] = TypedDict("SP.User", user_json(call.user))
    entity = Entity(value, "SP.Web", "Web")
    return Result(select(call, entity))


def read_site(call: Call) -> Result:
    value = {
        "Id": call.store.identity("site"),
        "ServerRelativeUrl": call.site.options.site_path,
        "Url": call.base,
        "ReadOnly": False,
    }
    return shaped(call, Entity(value, "SP.Site", "Site"))


def _time_zone() -> TypedDict:
    information = {"Bias": -60, "DaylightBias": -60, "StandardBias": 0}
    return TypedDict(
        "SP.TimeZone",
        {
            "Description": "(UTC+01:00) Brussels, Copenhagen, Madrid, Paris",
            "Id": 3,
            "Information": TypedDict("SP.TimeZoneInformation", information),
        },
    )


def _regional() -> dict[str, Any]:
    return {
        "TimeZone": _time_zone(),
        "DateFormat": 1,
        "DateSeparator": "-",
        "DecimalSeparator": ",",
        "FirstDayOfWeek": 1,
        "ListSeparator": ";",
        "LocaleId": 1030,
        "ThousandSeparator": ".",
        "Time24": True,
        "TimeSeparator": ":",
    }


def read_regional(call: Call) -> Result:
    return shaped(call, Entity(_regional(), "SP.RegionalSettings", "Web/RegionalSettings"))


def read_time_zone(call: Call) -> Result:
    return shaped(call, Entity(dict(_time_zone()), "SP.TimeZone", "Web/RegionalSettings/TimeZone"))


def read_permissions(call: Call) -> Result:
    high, low = _RIGHTS[call.role]
    return Result(
        Named(
            "EffectiveBasePermissions",
            TypedDict("SP.BasePermissions", {"High": str(high), "Low": str(low)}),
        )
    )


# --- people


def _user_entity(user_id: int) -> Entity:
    return Entity(user_json(user_id), "SP.User", f"Web/GetUserById({user_id})")


def read_current_user(call: Call) -> Result:
    return shaped(call, _user_entity(call.user))


def read_user(call: Call) -> Result:
    key = call.address.keys.get("user", (call.address.arguments or ("",))[0])
    if not str(key).isdigit():
        raise errors.ODataError(500, f"-2146232832, {errors.SP_EXCEPTION}", "User cannot be found.")
    return shaped(call, _user_entity(int(key)))


def ensure_user(call: Call) -> Result:
    name = str(call.json().get("logonName") or "")
    user_id = find_user(name)
    if user_id is None:
        text = f"The specified user {name} could not be found."
        raise errors.ODataError(400, f"-2146232832, {errors.SP_EXCEPTION}", text)
    return Result(_user_entity(user_id))
