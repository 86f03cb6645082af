"""One nightly job in a process of its own; prints one JSON line: seconds, peak memory, counts."""

from __future__ import annotations

import json
import resource
import sys
import time
from dataclasses import asdict

from worker.settings import load_settings
from worker.wiring import build_app


def main() -> None:
    """Runs all profiles with the settings of the environment; argument `set-up` provisions first."""
    started = time.perf_counter()
    with build_app(load_settings()) as app:
        if "set-up" in sys.argv:
            app.provision(app.provision_plan())
            for profile in app.shipped_profiles():
                app.profiles.save(profile)
            return
        profiles = [row.profile for row in app.profiles.profiles() if row.profile]
        with app.session(profiles, app.run_options(override_brake=True)) as session:
            result = session.run()
    if result.error is not None:
        raise result.error
    ledgers = {report.profile: asdict(report.ledger) for report in result.reports}
    states = {report.profile: [report.status.value, report.message] for report in result.reports}
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    line = {"seconds": time.perf_counter() - started, "peak_mb": peak, "ledgers": ledgers, "states": states}
    sys.stdout.write(json.dumps(line) + "\n")


if __name__ == "__main__":
    main()
