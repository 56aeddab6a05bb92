"""Streams of events in the OpenAPI document."""

from typing import Any

from gradyard.shapes.live import EVENT_STREAM
from service.http.openapi import REF

NOTHING_MORE = {"description": "all of it has ended, and the client was told"}
_TEXT: dict[str, Any] = {EVENT_STREAM: {"schema": {"type": "string"}}}
_MESSAGES = (
    "messages: `move` (Move), `curve` (CurvePart), `progress` (Progress), `ended` (Job), `moves` (BatchMoves), "
    "`counts` (BatchNow), `batch_ended` (Batch), `project` (ProjectNow), `problem` (Problem), each with its data on "
    "one line of JSON"
)
STREAM: dict[str, Any] = {"description": _MESSAGES, "content": _TEXT}
EVENTS_OR_STREAM: dict[str, Any] = {
    "description": f"the changes of its state; or, with Accept: {EVENT_STREAM}, {_MESSAGES}",
    "content": {"application/json": {"schema": {"$ref": REF.format(model="EventList")}}, **_TEXT},
}
