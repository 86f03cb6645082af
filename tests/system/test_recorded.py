"""The nightly job over recorded pages of the vendor's demo agreement: 1,000 real customers with all their dirt."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.world import World
from worker.domain.report import RunStatus
from worker.emulators.economic.store import EconomicStore

RECORDINGS = Path(__file__).parents[3] / "shared" / "data" / "economic-recordings"


@pytest.mark.slow
@pytest.mark.skipif(not RECORDINGS.exists(), reason="the recorded answers lie beside the checkout, not in it")
def test_every_recorded_customer_is_created_or_stands_in_the_row_results(tmp_path):
    """Sums equal e-conomic's, nothing is lost, and the second night writes nothing."""
    with World(tmp_path, "empty") as world:
        store: EconomicStore = world.economic_store
        store.load_recordings(RECORDINGS)
        world.set_up()
        result = world.run()
        assert result.error is None
        reports = {report.profile: report for report in result.reports}
        for report in reports.values():
            assert report.status in {RunStatus.SUCCEEDED, RunStatus.WITH_ERRORS}, report.message
            assert report.ledger.balances
            assert all(line.agrees for line in report.controls)
        ledger = reports["Customers"].ledger
        assert ledger.source_rows == 1000
        assert ledger.created + ledger.failed == 1000
        failed = {r["SourceKey"] for r in world.rows("Sync row results") if r["Profile"] == "Customers"}
        companies = {r["CustomerID"] for r in world.rows("Companies") if r.get("CustomerID")}
        assert len(companies) == ledger.created
        assert len(failed) == ledger.failed
        assert not failed & companies
        world.control("sharepoint", "stats/reset", {})
        again = world.run()
        assert again.error is None
        counts = world.control("sharepoint", "stats")["total"]
        assert counts["writes"] == 1, "the run list's closing batch and nothing else"
