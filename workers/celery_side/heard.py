"""What a message of the broker becomes before Celery reads it: a bell that this process writes itself.

Of what was sent, a bell keeps that it rang, the ids by which people find it in Flower, and how often it was passed on.
So no message can ask for another task, a time limit, a later hour or a message to send afterwards, and none that cannot
be read stops the process that listens.
"""

from base64 import b64decode
from typing import Any
from uuid import UUID, uuid4

import orjson

from gradyard.broker.celery_settings import TASK
from gradyard.broker.message import bell_message
from gradyard.jobs.validation.json_weight import Weight

MOST_BYTES = 8 * 2**20
"""Of a message. A bell carries the spec of its job, which has about 1.4 MiB at most."""

MOST_BRACKETS, MOST_COMMAS = 64, 256
"""Of a message. A bell has 5 and 24, as its spec lies in its body, as base64; one of an older version 6 and 32. A
parser makes 60 bytes of each `[],`."""

MOST_BODY_CHARACTERS = 1024
"""Of a body that is read. One that says how often its bell was passed on carries nothing else."""


NOT_OF_THE_FORM = "it is not of the form of Celery's messages"


class NoBell(ValueError):
    """The message is no bell. The text says why, in words of this module alone."""


def heard(item: bytes, queue: str) -> bytes:
    """The message that Celery reads in place of this item of a queue: the task of a bell, or of one that was none."""
    try:
        sent = _sent(item)
        arguments, shown = {"passed": _passed(sent.get("body"))}, _id_or(sent["headers"].get("kwargsrepr"), "")
        return bell_message(queue, _id_or(sent["headers"].get("id"), str(uuid4())), arguments, shown)
    except NoBell as reason:
        return bell_message(queue, str(uuid4()), {"dropped": str(reason)}, "")


def _sent(item: bytes) -> dict[str, Any]:
    if len(item) > MOST_BYTES:
        raise NoBell(f"it has more than {MOST_BYTES:,} bytes")
    if not _is_light(item):
        raise NoBell(NOT_OF_THE_FORM)
    try:
        sent = orjson.loads(item)
    except ValueError:
        raise NoBell("it is not JSON") from None
    headers = sent.get("headers") if isinstance(sent, dict) else None
    if not isinstance(headers, dict):
        raise NoBell(NOT_OF_THE_FORM)
    if headers.get("task") != TASK:
        raise NoBell("it names another task")
    if sent.get("content-type") != "application/json":
        raise NoBell("its body is not JSON by its content type")
    return sent


def _is_light(item: bytes) -> bool:
    """Whether it takes little more memory to read than it has bytes. Brackets and commas in texts count as well."""
    weight = Weight.of(item)
    return weight.brackets <= MOST_BRACKETS and weight.commas <= MOST_COMMAS


def _passed(body: Any) -> int:
    """How often the bell was passed on. It is 0 where the body does not tell: the bell rang all the same."""
    if not isinstance(body, str) or len(body) > MOST_BODY_CHARACTERS:
        return 0
    try:
        passed = orjson.loads(b64decode(body))[1]["passed"]
    except (ValueError, LookupError, TypeError):
        return 0
    return passed if type(passed) is int else 0


def _id_or(value: Any, otherwise: str) -> str:
    try:
        return str(UUID(value)) if isinstance(value, str) and len(value) == 36 else otherwise
    except ValueError:
        return otherwise
