"""A bell as Celery's Redis transport stores it: a message with the one task that the workers have."""

from base64 import b64encode
from collections.abc import Mapping
from typing import Any
from uuid import uuid4

import orjson

from gradyard.broker.celery_settings import TASK


def bell_message(queue: str, task_id: str, arguments: Mapping[str, Any], shown: str) -> bytes:
    """The message, in version 2 of Celery's protocol. `shown`: what people see in Flower in place of the arguments."""
    headers = {
        "lang": "py", "task": TASK, "id": task_id, "root_id": task_id, "parent_id": None, "group": None, "eta": None,
        "expires": None, "retries": 0, "timelimit": [None, None], "argsrepr": "()", "kwargsrepr": shown,
        "origin": "", "ignore_result": True,
    }  # fmt: skip
    properties = {
        "correlation_id": task_id, "delivery_mode": 2, "delivery_info": {"exchange": "", "routing_key": queue},
        "priority": 0, "body_encoding": "base64", "delivery_tag": str(uuid4()),
    }  # fmt: skip
    nothing = {"callbacks": None, "errbacks": None, "chain": None, "chord": None}
    return orjson.dumps({
        "body": b64encode(orjson.dumps([[], arguments, nothing])).decode(), "content-encoding": "utf-8",
        "content-type": "application/json", "headers": headers, "properties": properties,
    })  # fmt: skip
