"""Everything that can go wrong on the user's side, as one tree.

GradyardClientError
├── Unreachable               nobody answers at that address
├── AnswerNotUnderstood       somebody answers, but not as gradyard does
├── RefusedByService          the service understood, and said no: its status, title, detail and errors
│   └── JobNotFound           there is no such job
├── WaitTimeout               the job was not over in the time given
├── BadUsage                  the command line asks for nothing that can be done (gradyard.cli.errors)
└── CannotStart               a part of the stack on this machine does not start (gradyard.local.errors)
"""

from typing import Any

from gradyard.shapes.problems import FieldError


class GradyardClientError(Exception):
    """Something went wrong between a user and gradyard."""


class Unreachable(GradyardClientError):
    """Nobody answers at that address."""

    def __init__(self, url: str, reason: str) -> None:
        self.url = url
        self.reason = reason
        super().__init__(
            f"no answer from {url} ({reason}); `gradyard up` starts a service, GRADYARD_URL says where another one is"
        )


class AnswerNotUnderstood(GradyardClientError):
    """Somebody answers, but not as gradyard does."""

    def __init__(self, url: str, reason: str) -> None:
        self.url = url
        super().__init__(f"{url} does not answer as gradyard does ({reason}); is it the right address?")


class RefusedByService(GradyardClientError):
    """The service understood the request and refused it."""

    def __init__(self, status: int, title: str, detail: str = "", errors: tuple[FieldError, ...] = ()) -> None:
        self.status = status
        self.title = title
        self.detail = detail
        self.errors = errors
        super().__init__(self._sentence())

    def _sentence(self) -> str:
        fields = "; ".join(f"{error.place}: {error.message}" for error in self.errors[:5])
        if len(self.errors) > 5:
            fields += f"; and {len(self.errors) - 5} more"
        said = f"{self.title}: {fields}" if fields else self.detail or self.title
        return f"{said} ({self.status})"


class JobNotFound(RefusedByService):
    """There is no such job."""


class WaitTimeout(GradyardClientError):
    """The job was not over in the time given; it goes on."""

    def __init__(self, job: Any, seconds: float) -> None:
        self.job = job
        super().__init__(f"job {job.id} is still {job.state} after {seconds:g} s; it goes on")
