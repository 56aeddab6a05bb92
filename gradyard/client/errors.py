"""The errors of the Client and of the command, as one tree.

GradyardClientError
├── Unreachable               no service answers at that address
├── AnswerNotUnderstood       the answer is not one of gradyard's
├── RefusedByService          the service refused the request: status, title, detail and errors
│   └── JobNotFound           there is no such job
├── WaitTimeout               the job did not finish in the given time
├── BadUsage                  the arguments of a command are wrong (gradyard.cli.errors)
└── CannotStart               a part of the stack on this machine does not start (gradyard.local.errors)
"""

from typing import Any

from gradyard.shapes.problems import FieldError


class GradyardClientError(Exception):
    """The base of all errors of the Client and the command."""


class Unreachable(GradyardClientError):
    """No service answers at that address."""

    def __init__(self, url: str, reason: str) -> None:
        self.url = url
        self.reason = reason
        super().__init__(
            f"no answer from {url} ({reason}); `gradyard up` starts a service, GRADYARD_URL names another one"
        )


class AnswerNotUnderstood(GradyardClientError):
    """The answer is not one of gradyard's."""

    def __init__(self, url: str, reason: str) -> None:
        self.url = url
        super().__init__(f"{url} does not answer as gradyard does ({reason}); is it the right address?")


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


class WaitTimeout(GradyardClientError):
    """The job did not finish in the given time. It continues."""

    def __init__(self, job: Any, seconds: float) -> None:
        self.job = job
        super().__init__(f"job {job.id} is still {job.state} after {seconds:g} s; it continues")
