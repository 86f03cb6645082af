"""What was done about single customers, in the reader's language."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from worker.domain.reasons import REASONS, sentence
from worker.engine.hints import Done, Pending
from worker.web.texts import Texts


@dataclass(frozen=True, slots=True)
class ShownDone:
    """One go. `trouble`: a sentence, or why the first of `failed` rows did; of `profile`, if it was one's."""

    at: str
    customers: int
    written: int
    succeeded: bool
    profile: str
    trouble: str
    failed: int
    left: str


def shown_done(done: Done, texts: Texts) -> ShownDone:
    """For a page."""
    trouble = texts.sentence(done.problem)
    if not trouble and done.code in REASONS:
        trouble = sentence(done.code, done.facts, texts.language)
    failed = 0 if done.problem else done.failed
    left = ", ".join(done.left)
    return ShownDone(done.at, done.customers, done.written, done.succeeded, done.profile, trouble, failed, left)


def last_of(pending: Pending, number: int | None, texts: Texts) -> ShownDone | None:
    """The last go that this customer was in; None when none is remembered."""
    found: Sequence[Done] = [done for done in pending.done if number in done.numbers]
    return shown_done(found[-1], texts) if found else None
