"""People, workers and runs beside a creation."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.support.creations import COMPANY, NAME, RULES, company, customers, poll, put_back
from worker.errors import RefusedError
from worker.sync.claims import State


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_company_that_is_deleted_in_the_middle_is_told_and_can_come_back(world, moment):
    """Deleted before or after the customer was made; out of the bin it is finished as any other."""
    item = world.post("Companies", COMPANY)
    with world.app(world.settings(RULES)) as opened:
        creator = opened.creator()
        name = "like" if moment == "before" else "create"
        real = getattr(opened.desk, name)

        def deleted_first(*arguments: Any) -> Any:
            world.recycle("Companies", item)
            return real(*arguments)

        setattr(opened.desk, name, deleted_first)
        (made,) = creator.poll()
    assert made.state == State.FAILED
    assert "was deleted from the CRM meanwhile" in made.status
    assert len(customers(world)) == (0 if moment == "before" else 1)
    put_back(world)
    world.clock.moment += timedelta(minutes=5)
    poll(world)
    (customer,) = customers(world)
    assert company(world, item)["CustomerID"] == str(customer["customerNumber"])


def test_an_edit_made_while_it_is_created_is_kept(world):
    """Somebody saves the company between the claim and the number."""
    item = world.post("Companies", COMPANY)
    with world.app(world.settings(RULES)) as opened:
        creator = opened.creator()
        real = opened.desk.create

        def edited_first(customer: Any, key: str) -> int:
            world.merge("Companies", item, {"Phone": "typed meanwhile"})
            return real(customer, key)

        opened.desk.create = edited_first  # type: ignore[method-assign]
        (made,) = creator.poll()
    row = company(world, item)
    assert (row["Phone"], row["CustomerID"], row["CreateInEconomic"]) == (
        "typed meanwhile",
        str(made.number),
        "Created",
    )


def test_what_a_person_corrected_while_e_conomic_refused_it_is_sent_next(world):
    """Asked for anew at once: the refused claim is let go, and the request stays."""
    item = world.post("Companies", {**COMPANY, "PNumber": "1234567890"})
    with world.app(world.settings(RULES)) as opened:
        creator = opened.creator()

        def refusing(customer: Any, key: str) -> int:
            world.merge("Companies", item, {"City": "Ribe", "CreateInEconomic": "Requested"})
            raise RefusedError("e-conomic refused what was sent.")

        opened.desk.create = refusing  # type: ignore[method-assign]
        creator.poll()
    assert company(world, item)["CreateInEconomic"] == "Requested"
    poll(world)
    (customer,) = customers(world)
    assert customer["city"] == "Ribe"


def test_two_workers_make_one_customer(world):
    """Both saw the request; the claim's version lets one of them through."""
    world.post("Companies", COMPANY)
    with world.app(world.settings(RULES)) as one, world.app(world.settings(RULES)) as other:
        first, second = one.creator(), other.creator()
        real = one.desk.like

        def slow(customer: Any) -> Any:
            found = real(customer)
            second.poll()
            return found

        one.desk.like = slow  # type: ignore[method-assign]
        (made,) = first.poll()
    assert made.state == "", "the slower one leaves it alone"
    assert len(customers(world)) == 1


def test_a_run_beside_a_creation_makes_no_second_company(world):
    """e-conomic has the customer, the company has no number yet: the run leaves it to the creation."""
    item = world.post("Companies", COMPANY)
    with world.app(world.settings(RULES)) as opened:
        creator = opened.creator()
        real = opened.desk.create

        def run_after(customer: Any, key: str) -> int:
            number = real(customer, key)
            result = world.run(["Customers"])
            assert result.error is None
            return number

        opened.desk.create = run_after  # type: ignore[method-assign]
        (made,) = creator.poll()
    assert [row["Id"] for row in world.rows("Companies") if row["Title"] == NAME] == [item]
    assert company(world, item)["CustomerID"] == str(made.number)
