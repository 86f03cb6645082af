"""Links that people accepted: written, and remembered with who said so."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from worker.sync.linking import Link, Linked
from worker.wiring.app import App
from worker.wiring.decisions import DecisionBook


def accept_links(
    app: App, book: DecisionBook, links: Sequence[Link], by: str, stop: Callable[[], bool] = lambda: False
) -> list[Linked]:
    """See LinkAssistant.accept. The caller holds the connection: a run beside it would make a company for a customer
    whose number is just being written to one."""

    def keep(done: Sequence[Linked]) -> None:
        written = [(one.link.item_id, one.link.number) for one in done if not one.problem]
        book.accept(written, by, app.clock.now().isoformat())

    return app.link_assistant().accept(links, keep=keep, stop=stop)
