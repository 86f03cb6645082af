"""Office365-REST-Python-Client, which nobody here wrote, against the emulator over loopback."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from emu_sharepoint_kit import BALANCE, DUE, KEY, PAID, Emulator
from office365.runtime.auth.token_response import TokenResponse
from office365.runtime.client_request_exception import ClientRequestException
from office365.runtime.paths.v3.entity import EntityPath
from office365.sharepoint.client_context import ClientContext
from office365.sharepoint.exceptions import SPDuplicateValuesFoundException
from office365.sharepoint.fields.creation_information import FieldCreationInformation
from office365.sharepoint.fields.type import FieldType
from office365.sharepoint.listitems.listitem import ListItem
from office365.sharepoint.lists.creation_information import ListCreationInformation
from office365.sharepoint.views.create_information import ViewCreationInformation


@pytest.fixture
def context(emulator: Emulator) -> ClientContext:
    token = {"access_token": "test-token", "token_type": "Bearer", "expires_in": 3600}
    return ClientContext(emulator.site).with_access_token(lambda: _token(token))


def _token(values: dict[str, object]) -> object:
    return TokenResponse(**values)


def test_web_and_user(context: ClientContext) -> None:
    """The web, the current user and the time zone read as objects."""
    web = context.web.get().execute_query()
    assert web.properties["Title"] == "CRM"
    assert context.web.current_user.get().execute_query().properties["Title"] == "SharePoint App"


def test_list_columns_views_and_items(context: ClientContext, emulator: Emulator) -> None:
    """A list is made, gets columns and a view, and items are added, read, changed and deleted."""
    made = context.web.lists.add(ListCreationInformation("Invoices", None, 100)).execute_query()
    made.fields.create_field_as_xml(KEY).execute_query()
    made.fields.add_field(FieldCreationInformation("Amount", FieldType.Number)).execute_query()
    field = made.fields.get_by_internal_name_or_title("Amount").get().execute_query()
    assert field.type_as_string == "Number"
    field.set_property("Title", "Beløb").update().execute_query()
    assert made.fields.get_by_internal_name_or_title("Beløb").get().execute_query().internal_name == "Amount"

    item = made.add_item({"Title": "one", "Amount": 11}).execute_query()
    assert item.id == 1
    item.set_property("Amount", 12.5).update().execute_query()
    assert made.items.get_by_id(1).get().execute_query().properties["Amount"] == 12.5
    made.items.get_by_id(1).delete_object().execute_query()
    assert made.items.get().execute_query() is not None
    assert made.get().execute_query().item_count == 0


def test_ensure_indexed(context: ClientContext, emulator: Emulator) -> None:
    """ensure_indexed turns the index on once."""
    emulator.make_list("Invoices", BALANCE)
    field = context.web.lists.get_by_title("Invoices").fields.get_by_internal_name_or_title("Balance")
    field.ensure_indexed().execute_query()
    assert emulator.get("web/lists/getbytitle('Invoices')/fields/getbytitle('Balance')")["Indexed"] is True


def test_views_and_their_columns(context: ClientContext, emulator: Emulator) -> None:
    """A view is added with columns, and more are added to it."""
    emulator.make_list("Invoices", BALANCE, DUE)
    target = context.web.lists.get_by_title("Invoices")
    target.views.add(
        ViewCreationInformation(Title="Overdue", RowLimit=50, Query="<OrderBy><FieldRef Name='DueDate'/></OrderBy>")
    ).execute_query()
    view = target.views.get_by_title("Overdue").get().execute_query()
    view.view_fields.add_view_field("Balance").execute_query()
    view.set_property("CustomFormatter", '{"x":1}').update().execute_query()
    shown = emulator.get("web/lists/getbytitle('Invoices')/views/getbytitle('Overdue')")
    assert (shown["RowLimit"], shown["CustomFormatter"]) == (50, '{"x":1}')
    assert (
        emulator.get("web/lists/getbytitle('Invoices')/views/getbytitle('Overdue')/viewfields")["Items"][-1]
        == "Balance"
    )


def test_paging_with_get_all(context: ClientContext, emulator: Emulator) -> None:
    """get_all follows the verbose next link over every page."""
    path = emulator.make_list("Invoices")
    for number in range(25):
        emulator.add(path, Title=f"row {number}")
    items = context.web.lists.get_by_title("Invoices").items.get_all(10).execute_query()
    assert [item.properties["Title"] for item in items] == [f"row {number}" for number in range(25)]


def test_queued_records_in_one_batch(context: ClientContext, emulator: Emulator) -> None:
    """queue_records with Id and type set beforehand sends batches of 100, each create acknowledged with its id."""
    emulator.make_list("Åbne poster", KEY, BALANCE, PAID)
    shown = emulator.get("web/lists/getbytitle('Åbne poster')?$select=Id,ListItemEntityTypeFullName")
    target = context.web.lists.get_by_title("Åbne poster")
    target.set_property("Id", shown["Id"], False)
    target.set_property("ListItemEntityTypeFullName", shown["ListItemEntityTypeFullName"], False)
    items = target.items
    items.queue_records([{"Title": f"t{n}", "EcoKey": f"k{n}", "Balance": n + 0.5} for n in range(150)])
    emulator.app.state.meter.reset()
    context.execute_batch(items_per_batch=100)
    assert [items[n].id for n in (0, 99, 149)] == [1, 100, 150]
    counts = emulator.app.state.meter.snapshot()["total"]
    assert (counts["batches"], counts["writes"], counts["requests"]) == (2, 2, 3)
    assert counts["by_target"]["Åbne poster"] == {"reads": 0, "writes": 150}


def test_batched_updates_and_their_failures(context: ClientContext, emulator: Emulator) -> None:
    """Updates batch too; one bad row is collected as a failure while its neighbours are kept."""
    path = emulator.make_list("Invoices", KEY)
    emulator.switch(duplicate_key_status="400")
    for number in range(3):
        emulator.add(path, Title="x", EcoKey=str(number))
    target = context.web.lists.get_by_title("Invoices")
    items = target.items
    for number, key in ((1, "a"), (2, "a"), (3, "c")):
        item = ListItem(context, EntityPath(number, items.resource_path), parent_list=target)
        item._entity_type_name = "SP.Data.InvoicesListItem"
        item.set_property("EcoKey", key).update()
    with context.collect_batch_failures() as failures:
        context.execute_batch(items_per_batch=100)
    assert [failure[1].code for failure in failures] == [
        "-2130575169, Microsoft.SharePoint.SPDuplicateValuesFoundException"
    ]
    assert [row["EcoKey"] for row in emulator.get(f"{path}/items")["value"]] == ["a", "1", "c"]


def test_errors_get_their_own_types(context: ClientContext, emulator: Emulator) -> None:
    """The library tells duplicate values and missing lists apart by the codes."""
    path = emulator.make_list("Invoices", KEY)
    emulator.add(path, EcoKey="1")
    target = context.web.lists.get_by_title("Invoices")
    with pytest.raises(SPDuplicateValuesFoundException):
        target.add_item({"EcoKey": "1"}).execute_query()
    with pytest.raises(ClientRequestException, match="does not exist at site"):
        context.web.lists.get_by_title("Nothing").get().execute_query()


def test_times_and_lookups_as_the_library_sends_them(context: ClientContext, emulator: Emulator) -> None:
    """An aware time is kept exactly; a DateOnly column keeps local midnight in UTC."""
    emulator.make_list("Invoices", DUE)
    target = context.web.lists.get_by_title("Invoices")
    item = target.add_item({"Title": "x", "DueDate": datetime(2026, 7, 1, 10, 0, tzinfo=UTC)}).execute_query()
    assert emulator.get(f"web/lists/getbytitle('Invoices')/items({item.id})")["DueDate"] == "2026-06-30T22:00:00Z"
