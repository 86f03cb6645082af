"""The web and its lists over REST (reference, sections 4.8, 6 and 12)."""

from __future__ import annotations

from typing import Any

from worker.emulators.sharepoint import changes, errors, fields, views
from worker.emulators.sharepoint.calls import Call, select, shaped, shaped_collection
from worker.emulators.sharepoint.formats import Entity, Named, Result
from worker.emulators.sharepoint.models import (
    SPContentType,
    SPList,
    SPView,
    builtin_fields,
    new_guid,
)
from worker.emulators.sharepoint.names import encode_name, list_url_name
from worker.emulators.sharepoint.people import find_user, user_json
from worker.emulators.sharepoint.projection import list_path
from worker.emulators.sharepoint.values import TypedDict

_EMPTY_GUID = "00000000-0000-0000-0000-000000000000"
_SETTABLE = {
    "Title": "title",
    "Description": "description",
    "EnableVersioning": "versioning",
    "MajorVersionLimit": "version_limit",
    "ValidationFormula": "validation_formula",
    "ValidationMessage": "validation_message",
}
# Settings that are kept and given back, with what a new custom list has.
_KEPT: dict[str, Any] = {
    "AllowContentTypes": True,
    "ContentTypesEnabled": False,
    "DisableGridEditing": False,
    "EnableAttachments": True,
    "EnableFolderCreation": False,
    "EnableMinorVersions": False,
    "EnableModeration": False,
    "Hidden": False,
    "ListExperienceOptions": 0,
    "NoCrawl": False,
    "OnQuickLaunch": False,
}
_RIGHTS = {"none": (0, 0), "read": (176, 138612833), "write": (176, 138613759), "manage": (2147483647, 4294967295)}


# --- lists


def list_entity(call: Call, one: SPList) -> Entity:
    """A list as REST shows it."""
    kept = {name: one.extra.get(name, default) for name, default in _KEPT.items()}
    site_path = call.site.options.site_path
    value = {
        "AllowContentTypes": kept["AllowContentTypes"],
        "BaseTemplate": one.base_template,
        "BaseType": 0,
        "ContentTypesEnabled": kept["ContentTypesEnabled"],
        "CrawlNonDefaultViews": False,
        "Created": one.created,
        "CurrentChangeToken": TypedDict("SP.ChangeToken", {"StringValue": changes.current_token(call, one)}),
        "DefaultContentApprovalWorkflowId": _EMPTY_GUID,
        "DefaultItemOpenUseListSetting": False,
        "Description": one.description,
        "Direction": "none",
        "DisableCommenting": False,
        "DisableGridEditing": kept["DisableGridEditing"],
        "DocumentTemplateUrl": None,
        "DraftVersionVisibility": 0,
        **{name: kept[name] for name in ("EnableAttachments", "EnableFolderCreation")},
        **{name: kept[name] for name in ("EnableMinorVersions", "EnableModeration")},
        "EnableRequestSignOff": True,
        "EnableVersioning": one.versioning,
        "EntityTypeName": f"{one.entity_name}List",
        "ExemptFromBlockDownloadOfNonViewableFiles": False,
        "FileSavePostProcessingEnabled": False,
        "ForceCheckout": False,
        "HasExternalDataSource": False,
        "Hidden": kept["Hidden"],
        "Id": one.id,
        "ImagePath": TypedDict("SP.ResourcePath", {"DecodedUrl": "/_layouts/15/images/itgen.png?rev=47"}),
        "ImageUrl": "/_layouts/15/images/itgen.png?rev=47",
        "DefaultSensitivityLabelForLibrary": "",
        "IrmEnabled": False,
        "IrmExpire": False,
        "IrmReject": False,
        "IsApplicationList": False,
        "IsCatalog": False,
        "IsPrivate": False,
        "ItemCount": one.item_count,
        "LastItemDeletedDate": one.deleted,
        "LastItemModifiedDate": one.modified,
        "LastItemUserModifiedDate": one.modified,
        "ListExperienceOptions": kept["ListExperienceOptions"],
        "ListItemEntityTypeFullName": f"SP.Data.{one.entity_name}ListItem",
        "MajorVersionLimit": one.version_limit,
        "MajorWithMinorVersionsLimit": 0,
        "MultipleDataList": False,
        "NoCrawl": kept["NoCrawl"],
        "OnQuickLaunch": kept["OnQuickLaunch"],
        "ParentWebPath": TypedDict("SP.ResourcePath", {"DecodedUrl": site_path}),
        "ParentWebUrl": site_path,
        "ParserDisabled": False,
        "ServerTemplateCanCreateFolders": True,
        "TemplateFeatureId": "00bfea71-de22-43b2-a848-c05709900100",
        "Title": one.title,
        "ValidationFormula": one.validation_formula,
        "ValidationMessage": one.validation_message,
    }
    return Entity(value, "SP.List", list_path(one), f'"{one.version}"')


def _expanded(call: Call, one: SPList) -> Entity:
    """The list with what `$expand` asks for: Fields, Views, ContentTypes, RootFolder, DefaultView."""
    entity, site_path = list_entity(call, one), call.site.options.site_path
    wanted = {name.split("/")[0].lower() for name in call.names("expand")}
    if not wanted:
        return entity
    value = dict(entity.value)
    if "fields" in wanted:
        value["Fields"] = [fields.field_entity(one, field, site_path) for field in one.fields]
    if "views" in wanted:
        value["Views"] = [views.view_entity(one, view, site_path) for view in one.views]
    if "contenttypes" in wanted:
        value["ContentTypes"] = [content_type_entity(one, item) for item in one.content_types]
    if "rootfolder" in wanted:
        value["RootFolder"] = root_folder(call, one)
    default = one.default_view()
    if "defaultview" in wanted and default is not None:
        value["DefaultView"] = views.view_entity(one, default, site_path)
    return Entity(value, entity.type_name, entity.path, entity.etag)


def root_folder(call: Call, one: SPList) -> Entity:
    folder = f"{call.site.options.site_path}/Lists/{one.url_name}"
    value = {"Exists": True, "ItemCount": one.item_count, "Name": one.url_name, "ServerRelativeUrl": folder}
    return Entity(value, "SP.Folder", f"{list_path(one)}/RootFolder")


def read_root_folder(call: Call) -> Result:
    return shaped(call, root_folder(call, call.one_list()))


def read_lists(call: Call) -> Result:
    return shaped_collection(call, [_expanded(call, one) for one in call.store.lists()])


def read_list(call: Call) -> Result:
    return shaped(call, _expanded(call, call.one_list()))


def create_list(call: Call) -> Result:
    """The first title fixes the URL name and the entity type."""
    body = call.parameters()
    title = str(body.get("Title") or "")
    if not title:
        raise errors.bad_argument("A list needs a Title.")
    if call.store.list_by_title(title) is not None:
        raise errors.duplicate_list(call.rules.status("duplicate_list_status"))
    url_name = list_url_name(title, {one.url_name for one in call.store.lists()})
    columns = ["LinkTitle"]
    one = SPList(
        title,
        url_name,
        encode_name(url_name),
        call.now(),
        base_template=int(body.get("BaseTemplate") or body.get("TemplateType") or 100),
        fields=builtin_fields(),
        views=[SPView("All Items", columns, query='<OrderBy><FieldRef Name="ID" /></OrderBy>', default=True)],
        content_types=[SPContentType(f"0x0100{new_guid().replace('-', '').upper()}", "Item")],
    )
    _apply(one, body)
    call.store.add_list(one)
    entity = list_entity(call, one)
    return Result(entity, 201, {"ETag": entity.etag or "", "Location": f"{call.base}/_api/{entity.path}"})


def _apply(one: SPList, body: dict[str, Any]) -> None:
    for name, attribute in _SETTABLE.items():
        if body.get(name) is not None:
            setattr(one, attribute, body[name])
    one.extra.update({name: body[name] for name in _KEPT if body.get(name) is not None})


def update_list(call: Call) -> Result:
    one, body = call.one_list(), call.json()
    other = call.store.list_by_title(str(body.get("Title", "")))
    if other is not None and other is not one:
        raise errors.duplicate_list(call.rules.status("duplicate_list_status"))
    _apply(one, body)
    one.version += 1
    call.store.save_list(one)
    return Result(status=204, headers={"ETag": f'"{one.version}"'})


def delete_list(call: Call) -> Result:
    call.store.drop_list(call.one_list())
    return Result()


def recycle_list(call: Call) -> Result:
    """A recycled list is gone here: nothing reads lists back from the bin."""
    call.store.drop_list(call.one_list())
    return Result(Named("Recycle", new_guid()))


# --- content types


def content_type_entity(one: SPList, item: SPContentType) -> Entity:
    value = {
        "ClientFormCustomFormatter": item.form_formatter,
        "Description": item.description,
        "DisplayFormUrl": "",
        "Group": "List Content Types",
        "Hidden": False,
        "Id": TypedDict("SP.ContentTypeId", {"StringValue": item.string_id}),
        "Name": item.name,
        "ReadOnly": False,
        "Sealed": False,
        "StringId": item.string_id,
    }
    return Entity(value, "SP.ContentType", f"{list_path(one)}/ContentTypes('{item.string_id}')")


def read_content_types(call: Call) -> Result:
    one = call.one_list()
    return shaped_collection(call, [content_type_entity(one, item) for item in one.content_types])


def _content_type(call: Call) -> tuple[SPList, SPContentType]:
    one, key = call.one_list(), str(call.address.keys["contenttype"]).lower()
    for item in one.content_types:
        if item.string_id.lower() == key:
            return one, item
    raise errors.no_such_resource(call.address.text)


def read_content_type(call: Call) -> Result:
    return shaped(call, content_type_entity(*_content_type(call)))


def update_content_type(call: Call) -> Result:
    """Name, Description, and the form layout ClientFormCustomFormatter as a JSON string."""
    one, item = _content_type(call)
    body = call.json()
    item.name = body.get("Name", item.name)
    item.description = body.get("Description", item.description)
    item.form_formatter = body.get("ClientFormCustomFormatter", item.form_formatter)
    call.store.save_list(one)
    return Result(status=204)


# --- web


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
