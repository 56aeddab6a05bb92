"""Whether Redis takes bells. A replica, and a Redis at its memory limit, answer a ping and refuse every bell."""

from typing import Any

from redis.exceptions import NoPermissionError, OutOfMemoryError, ReadOnlyError, ResponseError

from gradyard.jobs.fleet import Queue

_REASONS: dict[type[Exception], str] = {
    ReadOnlyError: ", as it is a read-only replica", OutOfMemoryError: ", as its memory is full",
}  # fmt: skip


def refusal_of(client: Any) -> str | None:
    """Why this Redis takes no bells, in a few words; None where it takes them. Raises RedisError where it is away.

    It is asked by a write that changes nothing: no message is empty, so there is none to insert before.
    """
    try:
        client.linsert(Queue.CPU.value, "BEFORE", "", "")
    except NoPermissionError:
        return None  # this user may not ask so; it may still have all that a bell needs
    except ResponseError as error:
        return f"takes no bells{_REASONS.get(type(error), '')}"
    return None
