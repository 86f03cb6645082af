"""What a person says about changed numbers by command: only what can be true is kept, whatever is typed as a number."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from click.testing import Result
from typer.testing import CliRunner

from tests.fakes.fake_work import make_fake_stores
from tests.support.world import MovableClock, World
from tests.system.test_life_cycle import NEW, of_customer, renumber, with_everything
from tests.unit.web.conftest import make_console
from worker.cli.app import app as commands
from worker.domain.renumbering import Party, Said
from worker.settings import load_installation
from worker.wiring.engine import open_stores
from worker.wiring.renumbered import RenumberBook

Run = Callable[..., Result]


@pytest.fixture
def run(world: World, tmp_path, monkeypatch) -> Run:
    world.commands_here(monkeypatch, tmp_path, SYNC_DATA_DIR=str(tmp_path))
    return lambda *words: CliRunner().invoke(commands, list(words))


def accepted() -> dict[str, str]:
    return dict(RenumberBook(open_stores(load_installation(None)).records, "default").said().accepted)


def test_what_can_not_be_true_is_refused_with_the_reason(world, run):
    """Each pair with its own; nothing is kept of a command of which one is wrong."""
    old = with_everything(world)["customerNumber"]
    other = next(one["customerNumber"] for one in world.data.customers if one["customerNumber"] != old)
    renumber(world, old)
    wrong = {
        f"{old}=777777": "e-conomic has no customer 777777.",
        f"777777={NEW}": "no company carries the number 777777.",
        f"{other}={NEW}": f"e-conomic still has the customer {other}.",
        f"{old}={other}": f"customer {other} has a company already.",
    }
    words = [word for pair in (f"{old}={NEW}", *wrong) for word in ("--renumbered", pair)]
    refused = run("link", *words)
    assert refused.exit_code == 2
    told = " ".join(refused.output.split())
    assert all(f"{pair}: {reason}" in told for pair, reason in wrong.items()), told
    assert f"{old}={NEW}:" not in told
    assert accepted() == {}
    assert run("link", "--renumbered", f"{old}={NEW}").exit_code == 0
    assert accepted() == {str(old): str(NEW)}


@pytest.mark.parametrize("yes", [True, False])
def test_a_company_with_a_number_that_e_conomic_could_not_have(world, run, yes):
    """People type such numbers; one that may be a new customer's is answered like any other."""
    old = with_everything(world)["customerNumber"]
    item = of_customer(world, old)["Companies"][0]
    world.merge("Companies", item, {"CustomerID": "K = 17"})
    renumber(world, old)
    world.economic_change(NEW, name="Something Else A/S")
    assert f"K = 17={NEW}" in run("link").output
    assert run("link", "--renumbered" if yes else "--not-renumbered", f"K = 17={NEW}").exit_code == 0
    assert run("run", "--customer", str(NEW)).exit_code in (0, 1)
    assert (of_customer(world, NEW)["Companies"] == [item]) == yes


def test_the_same_on_the_page(world):
    old = with_everything(world)["customerNumber"]
    before = of_customer(world, old)
    world.merge("Companies", before["Companies"][0], {"CustomerID": "K:17"})
    renumber(world, old)
    world.economic_change(NEW, name="Something Else A/S")
    console = make_console(world)
    browser = console.browser()
    assert f'value="K:17:{NEW}"' in browser.get("/manage/link/default").text
    assert browser.post("/manage/link/default", data={"same": f"K:17:{NEW}"}).status_code == 200
    browser.post(f"/manage/api/customers/{NEW}/sync")
    console.work()
    assert of_customer(world, NEW)["Companies"] == before["Companies"]


def test_the_page_refuses_what_the_command_refuses(world):
    """In the same sentences: a page that stood open while numbers changed again asks what is no longer so."""
    old = with_everything(world)["customerNumber"]
    other = next(one["customerNumber"] for one in world.data.customers if one["customerNumber"] != old)
    renumber(world, old)
    console = make_console(world)
    browser = console.browser()
    wrong = {
        f"{old}:777777": "e-conomic has no customer 777777.",
        f"777777:{NEW}": "no company carries the number 777777.",
        f"{other}:{NEW}": f"e-conomic still has the customer {other}.",
        f"{old}:{other}": f"customer {other} has a company already.",
    }
    book = RenumberBook(console.host.stores.records, "default")
    for pair, reason in wrong.items():
        answer = browser.post("/manage/link/default", data={"same": pair})
        assert answer.status_code == 422, pair
        assert reason in answer.text, pair
        assert "page Link companies" in answer.text
    assert book.said().accepted == {}
    assert browser.post("/manage/link/default", data={"same": f"{old}:{NEW}"}).status_code == 200
    assert book.said().accepted == {str(old): str(NEW)}


def test_answers_that_were_kept_without_whom_they_were_for_are_read():
    """One of a number twice says nothing any more until it is given again; the others stand. A no takes the yes away
    with whom it was for."""
    records = make_fake_stores(MovableClock()).records
    records.write("renumbered/default", b'{"accepted": {"1": "1", "2": "3"}, "refused": [["4", "5"]]}', None)
    book = RenumberBook(records, "default")
    assert book.said() == Said({}, {"1": "1", "2": "3"}, frozenset({("4", "5")}))
    book.accept("1", Party("1", "Bent Holm"))
    assert book.said().seen == {"1": Party("1", "Bent Holm")}
    book.refuse("1", 1)
    assert (book.said().accepted, book.said().seen) == ({"2": "3"}, {})


@pytest.mark.parametrize("text", ["", "=", "12", "12=", "=12", "12=x", "12=1234567890"])
def test_what_is_no_pair_is_told(run, text):
    refused = run("link", "--renumbered", text)
    assert refused.exit_code == 2
    assert "is no pair." in refused.output
