"""`python -m tests.bench.links [--debtors 2000,4000,8000]`: how long the link assistant thinks, and how well, on dirty
names with known truth."""

from __future__ import annotations

import argparse
import sys
import time
from datetime import date

from tests.support.dirty_names import Truth, debtors_of, dirty
from tests.support.link_score import scores
from worker.domain.matching import Matcher
from worker.emulators.dataset import generate


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--debtors", default="2000,4000,8000")
    chosen = parser.parse_args()
    customers = debtors_of(generate("large", 1, date(2026, 11, 25)).customers)
    first = 0.0
    for count in map(int, chosen.debtors.split(",")):
        truth = dirty(customers[:count], 1)
        rate = measured(truth)
        first = first or rate
        tell(f"{rate * 1e6:.0f} µs a company, {rate / first:.1f} times the first")


def measured(truth: Truth) -> float:
    """Seconds of processor time a company; prints what was found."""
    begun = time.process_time()
    matches = Matcher(truth.debtors).matches(truth.companies)
    took = time.process_time() - begun
    tell(f"\n{len(truth.companies):,} companies, {len(truth.debtors):,} debtors: {took:.1f} s")
    for one in scores(truth, matches):
        tell(f"  {one}")
    return took / len(truth.companies)


def tell(text: str) -> None:
    sys.stdout.write(f"{text}\n")


if __name__ == "__main__":
    main()
