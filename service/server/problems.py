"""What a request that could not be read is told: a problem in JSON, after which its connection is closed."""

import logging

from waitress.task import ErrorTask
from waitress.utilities import Error

from gradyard.jobs.visible_text import visible
from gradyard.shapes import Problem
from service.http.errors import RETRY_AFTER_SECONDS
from service.http.json_response import dump_json

PROBLEM = "application/problem+json"
REASONS = {
    400: "Bad Request", 408: "Request Timeout", 413: "Content Too Large", 414: "URI Too Long",
    417: "Expectation Failed", 431: "Request Header Fields Too Large", 503: "Service Unavailable",
}  # fmt: skip

logger = logging.getLogger(__name__)


class Refused(Error):  # type: ignore[misc]  # Waitress has no types
    """Why a request is not answered by the application. kind: one word for programs; else that of the status."""

    def __init__(self, code: int, detail: str, kind: str | None = None) -> None:
        super().__init__(detail)
        self.code = code
        self.reason = REASONS[code]
        if kind is not None:
            self.kind = kind


class ProblemTask(ErrorTask):  # type: ignore[misc]
    """Answers a request that could not be read, and closes its connection."""

    def execute(self) -> None:
        """Write the answer."""
        error = self.request.error
        body = problem_of(error)
        self.status = f"{error.code} {error.reason}"
        self.response_headers.append(("Content-Type", PROBLEM))
        if error.code in RETRY_AFTER_SECONDS:
            self.response_headers.append(("Retry-After", str(RETRY_AFTER_SECONDS[error.code])))
        self.set_close_on_finish()
        self.channel.lingers = True
        self.content_length = len(body)
        logger.info("%s refused with %s: %s", self.channel.addr[0], error.code, error.body)
        self.write(body)


def problem_of(error: Error) -> bytes:
    """The JSON of a problem."""
    kind = getattr(error, "kind", error.reason.lower().replace(" ", "_"))
    return dump_json(Problem.of(type=kind, title=error.reason, status=error.code, detail=visible(str(error.body))))
