"""Whether the client of a request is still there."""

from collections.abc import Callable

from flask import request


def client_has_left() -> bool:
    """Whether the client of this request closed its connection. Work that only the answer would tell of may stop then.

    False where the server does not tell.
    """
    return ask_whether_client_left()()


def ask_whether_client_left() -> Callable[[], bool]:
    """What says so of the client of this request, also when the request itself is out of reach."""
    has_left: Callable[[], bool] | None = request.environ.get("waitress.client_disconnected")
    return has_left or (lambda: False)
