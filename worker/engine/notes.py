"""Where a slice notes what it does: the fenced checkpoint and the job's record."""

from __future__ import annotations

from collections.abc import Callable

from worker.engine.checkpoint import Checkpoint
from worker.engine.jobs import Job, JobRun


class JobNotes:
    """Where a slice notes what it does: the fenced checkpoint and the job's record. Given by the handler."""

    def __init__(
        self,
        job: Job,
        checkpoint: Checkpoint,
        save: Callable[[Checkpoint], None],
        change: Callable[[Callable[[Job], Job]], Job],
    ) -> None:
        self.job = job
        self.checkpoint = checkpoint
        self._save = save
        self._change = change
        self.fruitful = False

    def save(self) -> None:
        """Writes the checkpoint. Raises LeaseLostError."""
        self._save(self.checkpoint)

    def progressed(self) -> None:
        """Something was achieved: a job that gets on is never given up."""
        self.fruitful = True
        self.checkpoint.fruitless = 0

    def change(self, change: Callable[[Job], Job]) -> None:
        """Changes the job's record."""
        self.job = self._change(change)

    def is_cancelled(self) -> bool:
        """Asks the job's record, since a person may have said so meanwhile."""
        self.change(lambda job: job)
        return self.job.cancel

    def change_run(self, profile: str, change: Callable[[JobRun], JobRun]) -> None:
        """Changes one profile's part."""

        def changed(job: Job) -> Job:
            run = next(one for one in job.runs if one.profile == profile)
            return job.with_run(change(run))

        self.change(changed)
