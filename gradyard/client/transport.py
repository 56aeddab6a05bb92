"""HTTP with retries: after a lost connection or from a busy service a request is sent again, until a deadline.

Almost every request may be sent twice: reads change nothing, submits and retries carry an Idempotency-Key, a second
cancel or delete changes nothing more. The others are sent with `once`.
"""

import random
import re
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpx

from gradyard.client.errors import AnswerNotUnderstood, JobNotFound, RefusedByService, Unreachable
from gradyard.jobs.access import is_loopback
from gradyard.shapes.problems import FieldError

BUSY = frozenset({429, 503})
CONNECT_SECONDS = 5.0
ANSWER_SECONDS = 15.0
FIRST_PAUSE_SECONDS = 0.1
LONGEST_PAUSE_SECONDS = 2.0


class _Retryable(Exception):
    """This try failed, and the next one may succeed, after `seconds` where the service named them."""

    def __init__(self, failure: Exception, seconds: float | None = None) -> None:
        self.failure = failure
        self.seconds = seconds


class Transport:
    """One service at `url`. A request is repeated for `retry_seconds` at most, counted from its first sending.

    reach_seconds: takes the place of `retry_seconds` until the service has answered for the first time.
    """

    def __init__(self, url: str, key: str | None, retry_seconds: float, reach_seconds: float | None = None) -> None:
        self.url = url.rstrip("/")
        try:
            httpx.URL(self.url)
        except httpx.InvalidURL as error:
            raise Unreachable(self.url, f"the address is not valid: {error}") from None
        self._retry_seconds = retry_seconds
        self._repeat_seconds = retry_seconds if reach_seconds is None else reach_seconds
        headers = {"User-Agent": "gradyard"} | ({"Authorization": f"Bearer {key}"} if key else {})
        # A proxy of the environment is for other machines; it cannot reach this machine's own ports.
        self._http = httpx.Client(headers=headers, trust_env=not _is_on_this_machine(self.url))

    def ask(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, Any] | None = None,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        hold_seconds: float = 0.0,
        also_fine: frozenset[int] = frozenset(),
        once: bool = False,
    ) -> httpx.Response:
        """Send a request, and return an answer with status 2xx or one of `also_fine`.

        hold_seconds: how long the service may hold the answer back (a long poll). once: do not send the request again
        where the service may have received it.
        Raises Unreachable where no answer came until the deadline, RefusedByService for any other status.
        """
        request = self._http.build_request(
            method,
            self.url + path,
            params={name: value for name, value in (params or {}).items() if value is not None},
            content=body,
            headers=headers,
            timeout=httpx.Timeout(ANSWER_SECONDS + hold_seconds, connect=CONNECT_SECONDS),
        )
        began = time.monotonic()
        pause = FIRST_PAUSE_SECONDS
        while True:
            try:
                return self._send(request, also_fine, once)
            except _Retryable as failed_try:
                seconds = pause * random.uniform(0.5, 1.0) if failed_try.seconds is None else failed_try.seconds
                if time.monotonic() + seconds > began + self._repeat_seconds:
                    raise failed_try.failure from None
            time.sleep(seconds)
            pause = min(2 * pause, LONGEST_PAUSE_SECONDS)

    def _send(self, request: httpx.Request, also_fine: frozenset[int], once: bool) -> httpx.Response:
        try:
            answer = self._http.send(request)
        except httpx.UnsupportedProtocol:
            raise Unreachable(self.url, "it must begin with http:// or https://") from None
        except httpx.TransportError as error:
            failure = Unreachable(self.url, _description(error))
            if once and not isinstance(error, httpx.ConnectError | httpx.ConnectTimeout):
                raise failure from None
            raise _Retryable(failure) from None
        self._repeat_seconds = self._retry_seconds
        if answer.is_success or answer.status_code in also_fine:
            return answer
        if answer.status_code in BUSY and not (once and answer.status_code == 503):  # its commit may have gone through
            raise _Retryable(_refusal(answer), _retry_after(answer))
        raise _refusal(answer)

    def ask_json(self, method: str, path: str, **options: Any) -> dict[str, Any]:
        """Send a request, and return the JSON object of its answer; AnswerNotUnderstood where the answer is none."""
        answer = self.ask(method, path, **options)
        try:
            value = answer.json()
        except ValueError:
            raise AnswerNotUnderstood(self.url, f"the answer to {path} is not JSON") from None
        if not isinstance(value, dict):
            raise AnswerNotUnderstood(self.url, f"the answer to {path} is not a JSON object")
        return value

    def lines(self, path: str, accept: str) -> Iterator[str]:
        """Iterate over the lines of a long answer as they arrive. The request is sent once.

        Raises Unreachable where the connection fails, RefusedByService where the status is not 2xx.
        """
        headers = {"Accept": accept}
        request = self._http.build_request("GET", self.url + path, headers=headers, timeout=ANSWER_SECONDS)
        try:
            answer = self._http.send(request, stream=True)
            try:
                if not answer.is_success:
                    answer.read()
                    raise _refusal(answer)
                yield from answer.iter_lines()
            finally:
                answer.close()
        except httpx.TransportError as error:
            raise Unreachable(self.url, _description(error)) from None

    def close(self) -> None:
        """Close the connections that are kept open between requests."""
        self._http.close()


def _is_on_this_machine(url: str) -> bool:
    try:
        return is_loopback(httpx.URL(url).host)
    except httpx.InvalidURL:
        return False


def _description(error: httpx.TransportError) -> str:
    if isinstance(error, httpx.TimeoutException):
        return "it took too long"
    return re.sub(r"^\[Errno -?\d+\] ", "", str(error)).lower() or type(error).__name__


def _retry_after(answer: httpx.Response) -> float | None:
    """Seconds from the Retry-After header, in either of its forms (RFC 9110); None without or with a wrong one."""
    text = answer.headers.get("Retry-After", "")
    try:
        if text.isdigit():
            return float(text)
        return max(0.0, (parsedate_to_datetime(text) - datetime.now(UTC)).total_seconds())
    except (TypeError, ValueError):
        return None


def _refusal(answer: httpx.Response) -> RefusedByService:
    """The problem+json (RFC 9457) of an answer as an error; for other bodies, as of a proxy, its status line."""
    try:
        problem = answer.json()
    except ValueError:
        problem = None
    if not isinstance(problem, dict):
        problem = {}
    errors = tuple(
        FieldError(
            pointer=str(error.get("pointer", "")), message=str(error.get("message", "")), index=error.get("index")
        )
        for error in problem.get("errors") or ()
        if isinstance(error, dict)
    )
    path = answer.request.url.path
    missing_job = answer.status_code in (404, 410) and problem and "/v1/jobs/" in path
    kind = JobNotFound if missing_job else RefusedByService
    return kind(
        answer.status_code,
        str(problem.get("title") or answer.reason_phrase or "refused"),
        str(problem.get("detail") or ""),
        errors,
    )
