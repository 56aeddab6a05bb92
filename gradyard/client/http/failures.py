"""What ended a connection, in words."""

import os
import re

import httpx


def description(error: httpx.TransportError) -> str:
    """The reason for people, in the words of the system where it has some: `connection refused`."""
    if isinstance(error, httpx.TimeoutException):
        return "it took too long"
    return (_of_the_system(error) or re.sub(r"^\[Errno -?\d+\] ", "", str(error))).lower() or type(error).__name__


def _of_the_system(error: BaseException | None) -> str | None:
    """An event loop tries each address of a name, and wraps their failures: the last one says the most."""
    while error is not None:
        if isinstance(error, ConnectionError) and error.errno:
            return os.strerror(error.errno)  # asyncio has words of its own for it
        if isinstance(error, OSError) and error.strerror:
            return error.strerror
        inner = error.exceptions[-1] if isinstance(error, BaseExceptionGroup) else None
        error = inner or error.__cause__ or error.__context__
    return None
