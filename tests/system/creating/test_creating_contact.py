"""The contact that is created with its company."""

from __future__ import annotations

from typing import Any

from tests.support.creations import COMPANY, RULES, company, contact_names, people, poll


def test_the_companys_contact_is_made_too(world):
    item = world.post("Companies", COMPANY)
    world.post("Contacts", {"Title": "Ane Holm", "EMail": "ane@nordlys-elektronik.example", "CompanyId": item})
    (made,) = poll(world, RULES.model_copy(update={"contact": True}))
    (contact,) = world.economic_call("GET", f"/customers/{made.number}/contacts")["collection"]
    assert (contact["name"], contact["email"]) == ("Ane Holm", "ane@nordlys-elektronik.example")
    assert "Ane Holm was created too" in company(world, item)["CreateStatus"]
    (row,) = people(world)
    assert row["ImportID"] == f"{made.number}-{contact['customerContactNumber']}"
    assert row["CompanyCustomerID"] == str(made.number)
    world.run()
    assert [one["Id"] for one in people(world)] == [row["Id"]], "the next run knows the person"


def test_a_contact_that_is_another_customers_is_passed_over(world):
    """It has its key; the next one without is the company's own."""
    item = world.post("Companies", COMPANY)
    world.post("Contacts", {"Title": "Bo Friis", "ImportID": "1-1", "CompanyId": item})
    world.post("Contacts", {"FirstName": "Ane", "LastName": "Holm", "Title": "Ane Holm", "CompanyId": item})
    (made,) = poll(world, RULES.model_copy(update={"contact": True}))
    assert contact_names(world, made.number) == ["Ane Holm"]
    assert [one["ImportID"] for one in people(world, "Bo Friis")] == ["1-1"]


def test_a_contact_whose_key_the_crm_refuses_is_told_with_the_key(world):
    """Somebody typed the key into another contact; keys are unique."""
    item = world.post("Companies", COMPANY)
    world.post("Contacts", {"Title": "Ane Holm", "CompanyId": item})
    with world.app(world.settings(RULES.model_copy(update={"contact": True}))) as opened:
        creator, real = opened.creator(), opened.desk.add_contact

        def taken_first(number: int, body: Any, key: str) -> int:
            contact = real(number, body, key)
            world.post("Contacts", {"Title": "Somebody", "ImportID": f"{number}-{contact}"})
            return contact

        opened.desk.add_contact = taken_first  # type: ignore[method-assign]
        (made,) = creator.poll()
    row = company(world, item)
    assert (row["CreateInEconomic"], row["CustomerID"]) == ("Created", str(made.number))
    assert f"could not be given the Import ID {made.number}-" in row["CreateStatus"]


def test_a_contact_edited_while_it_is_made_keeps_the_edit_and_gets_its_key(world):
    item = world.post("Companies", COMPANY)
    contact = world.post("Contacts", {"Title": "Ane Holm", "CompanyId": item})
    with world.app(world.settings(RULES.model_copy(update={"contact": True}))) as opened:
        creator, real = opened.creator(), opened.desk.add_contact

        def edited_first(number: int, body: Any, key: str) -> int:
            world.merge("Contacts", contact, {"Title": "Ane Holm-Friis"})
            return real(number, body, key)

        opened.desk.add_contact = edited_first  # type: ignore[method-assign]
        (made,) = creator.poll()
    (row,) = people(world, "Ane Holm-Friis")
    assert row["ImportID"].startswith(f"{made.number}-")
