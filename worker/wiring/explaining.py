"""One customer explained over real connections, with those that hang together with it by changed numbers: without them
a renumbered customer would look new, and a number that was given away like a change of name."""

from __future__ import annotations

from collections.abc import Sequence

from worker.domain.profile import Profile
from worker.domain.reasons import Language
from worker.sync.explain import CustomerStory
from worker.wiring.app import App
from worker.wiring.earlier import beside, customers_beside


def explained(app: App, number: int, profiles: Sequence[Profile], language: Language = "en") -> CustomerStory | None:
    """None when e-conomic has no such customer. Raises FatalError when too many hang together with it, and ConfigError
    when a profile can't be bound."""
    if app.source.customer(number) is None:
        return None
    more = beside(app, profiles, [number])
    with app.session_for(
        customers_beside([number], more), {str(number), *more}, profiles, app.run_options()
    ) as session:
        return session.explain(number, language)
