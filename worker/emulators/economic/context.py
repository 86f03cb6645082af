"""What every route needs: the data, the options, the switches and the agreement's calendar."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from worker.emulators.common.switches import Switches
from worker.emulators.economic.options import EconomicOptions
from worker.emulators.economic.store import EconomicStore
from worker.emulators.economic.webhooks import WebhookSender


@dataclass(frozen=True)
class Context:
    """One agreement being served."""

    store: EconomicStore
    options: EconomicOptions
    switches: Switches
    webhooks: WebhookSender

    def is_on(self, switch: str) -> bool:
        """Whether a yes/no switch stands at yes."""
        return self.switches.get(switch) == "yes"

    def today(self) -> date:
        """The agreement's day: the one set by the control routes, else the options', else the UTC day."""
        chosen = self.store.today
        if chosen is not None:
            return chosen
        return self.options.today() if self.options.today is not None else self.options.now().date()

    def set_today(self, day: date) -> None:
        """Set the agreement's day."""
        self.store.set_meta("today", day.isoformat())

    def tomorrow(self) -> date:
        """The day after the agreement's day."""
        return self.today() + timedelta(days=1)

    def now_text(self) -> str:
        """The present moment as `lastUpdated` has it: UTC, whole seconds, on the agreement's day."""
        now = self.options.now().astimezone(UTC)
        return datetime.combine(self.today(), now.time(), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
