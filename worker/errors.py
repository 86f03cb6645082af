"""Every error of the worker, grouped by what happens next.

    WorkerError                     message: one plain sentence; hint: the next step; exit_code
    +-- ConfigError            2    a setting, profile or list is wrong: somebody must change it; all problems at once
    +-- FatalError             3    this run can't go on
    |   +-- AuthenticationError     a token or certificate was refused
    |   +-- AccessDeniedError       signed in, but without the right
    |   +-- NotFoundError           a list, item or address does not exist
    |   |   +-- NotKeptError        the worker itself does not keep what was asked for, or not any more
    |   +-- RefusedError            what we sent breaks a rule of the service: nothing was written
    |   +-- ProtocolError           the answer isn't what the service promises
    |   +-- IncompleteReadError     fewer rows came than the service says it has
    +-- BrakeError             4    the plan changes too much: a person decides
    +-- StalePlanError         5    the world moved since the plan was made
    +-- RetriableError         6    the same call may succeed later
    |   +-- ThrottledError          told to wait
    |   +-- UnavailableError        no answer, or a server fault
    |       +-- PageError           a page instead of data: a passing fault, or a wrong address
    +-- LedgerError            7    rows or sums do not add up
    +-- BusyError              8    another run is under way
    +-- ConflictError          8    somebody else wrote the record first: read it again
    +-- LeaseLostError         8    the lease ran out or was taken over: stop, write nothing more
    +-- RowError                    one row can't be synced: it is skipped and reported; never leaves a run

Exit code 1 is no error: the work was done, but rows failed. 130 is Ctrl-C.
Messages never hold a token, a certificate or a person's data; row keys are allowed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


class WorkerError(Exception):
    """Base of all; `str()` is one sentence for a user, `hint` the next step."""

    exit_code = 3

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    @property
    def told(self) -> str:
        """Sentence and next step on one line."""
        return f"{self.message} {self.hint}".strip()


@dataclass(frozen=True)
class Problem:
    """One thing a person must correct."""

    where: str  # e.g. "profile 'Customers' (row 3), column Key (CRM)"
    message: str
    allowed: tuple[str, ...] = ()

    def __str__(self) -> str:
        tail = f" Allowed: {', '.join(self.allowed)}." if self.allowed else ""
        return f"{self.where}: {self.message}{tail}"


class ConfigError(WorkerError):
    """Something a person configured is wrong; carries every problem found, not just the first."""

    exit_code = 2

    def __init__(self, problems: Sequence[Problem], *, hint: str = "") -> None:
        self.problems = tuple(problems)
        count = len(self.problems)
        lead = str(self.problems[0]) if count == 1 else f"{count} problems were found."
        super().__init__(lead, hint=hint)


class FatalError(WorkerError):
    """This run can't go on."""


class AuthenticationError(FatalError):
    """A token or certificate was refused, or could not be had."""


class AccessDeniedError(FatalError):
    """Signed in, but the right is missing."""


class NotFoundError(FatalError):
    """A list, item or address does not exist."""


class NotKeptError(NotFoundError):
    """The worker itself does not keep what was asked for, or not any more: no service was to blame."""


class RefusedError(FatalError):
    """The service's own rules refuse what was sent; nothing was written."""


class ProtocolError(FatalError):
    """The answer is not what the service promises."""


class IncompleteReadError(FatalError):
    """Fewer rows came than the service says it has; never treated as 'nothing there'."""


class BrakeError(WorkerError):
    """The plan changes more than allowed; nothing was written."""

    exit_code = 4

    def __init__(self, message: str, *, reasons: Sequence[str], hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.reasons = tuple(reasons)


class StalePlanError(WorkerError):
    """The plan on file is no longer what would be done now; nothing was written."""

    exit_code = 5


class RetriableError(WorkerError):
    """The same call may succeed later."""

    exit_code = 6


class ThrottledError(RetriableError):
    """The service told us to wait; `retry_after` in seconds when it said how long."""

    def __init__(self, message: str, *, retry_after: float | None = None, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.retry_after = retry_after


class UnavailableError(RetriableError):
    """No answer, a broken connection, or a server fault."""


class PageError(UnavailableError):
    """A page came instead of data. Passing faults do that, and so do wrong addresses: tried a few times only."""


class LedgerError(WorkerError):
    """Rows or control sums do not add up."""

    exit_code = 7


class BusyError(WorkerError):
    """Another run is under way on the same data. `running`: its address, `<connection>/<job id>`, when it has one."""

    exit_code = 8

    def __init__(self, message: str, *, running: str = "", hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.running = running


class ConflictError(WorkerError):
    """A record was written by somebody else since it was read, or exists already."""

    exit_code = 8


class LeaseLostError(WorkerError):
    """A lease ran out or was taken over; whoever held it must stop and write nothing more."""

    exit_code = 8


@dataclass
class RowError(WorkerError):
    """One row can't be synced. `code` is a key of `domain.reasons`; `facts` fill its sentence."""

    code: str
    facts: Mapping[str, object] = field(default_factory=dict)

    def __post_init__(self) -> None:
        super().__init__(self.code)
