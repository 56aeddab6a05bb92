"""At most so many requests of a key, and of a project, in ten seconds: `RateLimit` headers, and 429 for the next one.

A request counts once, however long it waits or streams. Nothing counts for /healthz, /readyz, /metrics and the
documentation. Refusals for want of a valid key come before: they belong to no key. A key that signs a browser in counts
as if it had come in the header.
"""

import math
import time
from functools import partial
from typing import NoReturn

from flask import Flask, Response, current_app, request
from flask_limiter import ApplicationLimit, Limiter, RequestLimit
from limits import parse

from gradyard.jobs.api_keys import Scope
from gradyard.jobs.settings import Settings
from service.http.access.auth import OPEN_ENDPOINTS
from service.http.access.callers import Caller, current_caller
from service.http.errors import TooManyRequests
from service.http.limits.shared_counters import SCHEME
from service.http.services import current_services

WINDOW_SECONDS = 10
NOT_LIMITED = OPEN_ENDPOINTS | {"prometheus.show_service_metrics"}


def install(app: Flask, settings: Settings) -> None:
    """Limit the requests of each key and project by the settings. Install it after what finds out the caller."""
    limits = [
        ApplicationLimit(_limit(most), key_function=key, scope=scope, exempt_when=exempt)
        for scope, most, key, exempt in (
            ("key", settings.most_key_requests, _key, None),
            ("project", settings.most_project_requests, _project, _is_an_operator),
        )
        if most
    ]  # fmt: skip
    if not limits:
        return
    limiter = Limiter(
        _key, application_limits=list(limits), on_breach=_refuse, storage_uri=f"{SCHEME}://",
        storage_options={"redis_url": settings.broker},
    )  # fmt: skip
    limiter.request_filter(lambda: request.endpoint in NOT_LIMITED)
    limiter.init_app(app)
    app.after_request(partial(_tell, limiter))


def count_sign_in(caller: Caller) -> None:
    """Count a request whose key came in a form. Raises TooManyRequests where that key has sent too many."""
    if most := current_services().settings.most_key_requests:
        (limiter,) = current_app.extensions["limiter"]
        if not limiter.limiter.hit(parse(_limit(most)), _key_of(caller), "key"):
            raise _too_many("this key", most)


def _limit(most: int) -> str:
    return f"{most} per {WINDOW_SECONDS} second"


def _key() -> str:
    return _key_of(current_caller())


def _key_of(caller: Caller) -> str:
    return caller.digest or caller.actor


def _project() -> str:
    return str(current_caller().project_id)


def _is_an_operator() -> bool:
    """Whether the caller is an operator, whom the flood of a project that it names must not lock out."""
    return current_caller().may(Scope.OPERATOR)


def _refuse(breached: RequestLimit) -> NoReturn:
    whose = "this key" if _scope_of(breached) == "key" else "the keys of this project"
    raise _too_many(whose, breached.limit.amount)


def _too_many(whose: str, most: int) -> TooManyRequests:
    return TooManyRequests(
        f"{whose} may send {most:,} requests in {WINDOW_SECONDS} seconds; send it again after the seconds that "
        "Retry-After names"
    )


def _tell(limiter: Limiter, response: Response) -> Response:
    limits = limiter.current_limits
    if nearest := limiter.current_limit:
        until = max(1, math.ceil(nearest.window.reset_time - time.time()))
        response.headers["RateLimit"] = f'"{_scope_of(nearest)}";r={nearest.remaining};t={until}'
        policies = (f'"{_scope_of(each)}";q={each.limit.amount};w={WINDOW_SECONDS}' for each in limits)
        response.headers["RateLimit-Policy"] = ", ".join(policies)
        if nearest.breached:
            response.headers["Retry-After"] = str(until)
    return response


def _scope_of(limit: RequestLimit) -> str:
    return limit.request_args[-1]
