"""`python -m worker.emulators.dataset --size small`: prints what the set holds and what its next day brings."""

import argparse
import sys
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

from worker.emulators.dataset.generate import generate
from worker.emulators.dataset.model import SIZES
from worker.emulators.dataset.next_day import next_day
from worker.emulators.dataset.summary import as_text, summary


def main(argv: Sequence[str] | None = None) -> None:
    """Print the table and the story to standard output."""
    options = _parser().parse_args(argv)
    data = generate(options.size, options.seed, options.today)
    sys.stdout.write(as_text(summary(data)))
    story = next_day(data, options.seed, options.today + timedelta(days=1)).story
    sys.stdout.write("".join(["\nThe next day:\n", *(f"- {sentence}\n" for sentence in story)]))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m worker.emulators.dataset", description=__doc__)
    parser.add_argument("--size", choices=list(SIZES), default="small")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--today", type=date.fromisoformat, default=datetime.now(UTC).date(), metavar="YYYY-MM-DD")
    return parser


if __name__ == "__main__":
    main()
