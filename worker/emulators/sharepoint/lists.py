"""Lists and their content types over REST (reference, sections 4.8, 6 and 12)."""

from __future__ import annotations

from typing import Any

from worker.emulators.sharepoint import changes, errors, kept_texts, views
from worker.emulators.sharepoint.calls import Call, shaped, shaped_collection
from worker.emulators.sharepoint.field_shape import field_entity
from worker.emulators.sharepoint.formats import Entity, Named, Result
from worker.emulators.sharepoint.models import (
    SPContentType,
    SPList,
    SPView,
    builtin_fields,
    new_guid,
)
from worker.emulators.sharepoint.names import encode_name, list_url_name
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
        value["Fields"] = [field_entity(one, field, site_path) for field in one.fields]
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
        content_types=[_content_type_of("0x0100", "Item"), _content_type_of("0x012000", "Folder")],
    )
    _apply(one, body)
    call.store.add_list(one)
    entity = list_entity(call, one)
    return Result(entity, 201, {"ETag": entity.etag or "", "Location": f"{call.base}/_api/{entity.path}"})


def _content_type_of(parent: str, name: str) -> SPContentType:
    """A list's own copy of a content type: the parent's id with a GUID behind it. Each list has one for folders too."""
    return SPContentType(f"{parent}{new_guid().replace('-', '').upper()}", name)


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
    call.store.drop_list(_droppable(call))
    return Result()


def _droppable(call: Call) -> SPList:
    """The list of the path, unless it is too long to be deleted at once (section 7)."""
    one = call.one_list()
    if one.item_count > call.site.options.delete_list_limit:
        raise errors.over_threshold()
    return one


def recycle_list(call: Call) -> Result:
    """A recycled list is gone here: nothing reads lists back from the bin."""
    call.store.drop_list(_droppable(call))
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
    if "ClientFormCustomFormatter" in body:
        item.form_formatter = kept_texts.formatting(call, body["ClientFormCustomFormatter"])
    call.store.save_list(one)
    return Result(status=204)
