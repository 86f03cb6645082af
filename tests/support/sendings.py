"""An e-mail that the CRM owns: the profile leaves it alone, people type it, and it goes to e-conomic."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tests.support.world import World
from worker.domain.profile import WriteRule


def crm_owns_email(world: World) -> None:
    """Fills the lists; from then on the profile of customers leaves the e-mail to the CRM."""
    world.set_up()
    world.run()
    with world.app() as app:
        (customers,) = world.profiles(app, ["Customers"])
        rules = tuple(
            replace(rule, write=WriteRule.ON_CREATE_ONLY) if rule.target == "EMail" else rule
            for rule in customers.rules
        )
        app.profiles.save(replace(customers, rules=rules))


def only_customers(world: World) -> None:
    """All other profiles are switched off."""
    for row in world.rows("Mapping profiles"):
        if row["Title"] != "Customers":
            world.merge("Mapping profiles", row["Id"], {"Enabled": False})


def some_customers(world: World, count: int) -> list[int]:
    """Customers whose e-mail is the same on both sides."""
    rows = {row["CustomerID"]: row["EMail"] for row in world.rows("Companies") if row["CustomerID"]}
    found = [
        one["customerNumber"]
        for one in world.data.customers
        if one.get("email") and rows.get(str(one["customerNumber"])) == one["email"]
    ]
    return found[:count]


def type_email(world: World, number: int, text: str) -> None:
    """A person does, in the company."""
    row = next(row for row in world.rows("Companies") if row["CustomerID"] == str(number))
    world.merge("Companies", row["Id"], {"EMail": text})


def email(world: World, number: int) -> Any:
    """As e-conomic has it."""
    return world.economic_call("GET", f"/customers/{number}").get("email")
