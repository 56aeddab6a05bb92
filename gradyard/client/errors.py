"""The errors of the Client and of the command, as one tree.

GradyardClientError
├── Unreachable               no service answers at that address
├── AnswerNotUnderstood       the answer is not one of gradyard's
├── RefusedByService          the service refused the request: status, title, detail and errors
│   └── JobNotFound           there is no such job
├── WaitTimeout               the job or batch did not finish in the given time
├── CannotWrite               a file cannot be written
├── MissingExtra              a package that this needs is not installed
├── BadUsage                  the arguments of a command are wrong (gradyard.cli.errors)
└── CannotStart               a part of the stack on this machine does not start (gradyard.local.errors)
"""

import re
from typing import Any

from gradyard.jobs.states import FINISHED
from gradyard.shapes.batches import Batch
from gradyard.shapes.jobs import Job
from gradyard.shapes.problems import FieldError


class GradyardClientError(Exception):
    """The base of all errors of the Client and the command. They may be pickled, as by a pool of processes."""

    def __reduce__(self) -> tuple[Any, ...]:
        return _made_again, (type(self), self.args, self.__dict__)


def shown_address(url: str) -> str:
    """An address for people, without the name and the password that it may have."""
    return re.sub(r"^([a-zA-Z+.-]+://)[^/?#]*@", r"\1", url)


class Unreachable(GradyardClientError):
    """No service answers at that address."""

    def __init__(self, url: str, reason: str) -> None:
        self.url = shown_address(url)
        self.reason = reason
        super().__init__(
            f"no answer from {self.url} ({reason}); `gradyard up` starts a service, GRADYARD_URL names another one"
        )


class AnswerNotUnderstood(GradyardClientError):
    """The answer is not one of gradyard's."""

    def __init__(self, url: str, reason: str) -> None:
        self.url = shown_address(url)
        super().__init__(f"{self.url} does not answer as gradyard does ({reason}); is it the right address?")


class RefusedByService(GradyardClientError):
    """The service refused the request."""

    def __init__(self, status: int, title: str, detail: str = "", errors: tuple[FieldError, ...] = ()) -> None:
        self.status = status
        self.title = title
        self.detail = detail
        self.errors = errors
        super().__init__(self._message())

    def _message(self) -> str:
        fields = "; ".join(f"{error.place}: {error.message}" for error in self.errors[:5])
        if len(self.errors) > 5:
            fields += f"; and {len(self.errors) - 5} more"
        reason = f"{self.title}: {fields}" if fields else self.detail or self.title
        return f"{reason} ({self.status})"


class JobNotFound(RefusedByService):
    """There is no such job."""


class CannotWrite(GradyardClientError):
    """A file cannot be written."""


class MissingExtra(GradyardClientError):
    """A package that this needs is not installed."""


class WaitTimeout(GradyardClientError):
    """The job or batch did not finish in the given time. It continues.

    `job` or `batch` is how it was seen last, and the other one None.
    """

    def __init__(self, seen: Job | Batch, seconds: float) -> None:
        self.job = seen if isinstance(seen, Job) else None
        self.batch = seen if isinstance(seen, Batch) else None
        self.seconds = seconds
        kind = "job" if isinstance(seen, Job) else "batch"
        super().__init__(f"{kind} {seen.id} is still {seen.state} after {seconds:g} s, {_reached(seen)}; it continues")


def _reached(seen: Job | Batch) -> str:
    if isinstance(seen, Job):
        return f"at step {seen.steps_done} of {seen.steps}"
    finished = sum(count for state, count in seen.counts.items() if state in FINISHED)
    return f"with {finished} of {seen.size} jobs finished"


def _made_again(kind: type[GradyardClientError], args: tuple[Any, ...], fields: dict[str, Any]) -> GradyardClientError:
    error = kind.__new__(kind)
    error.args = args
    error.__dict__.update(fields)
    return error
