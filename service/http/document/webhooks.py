"""The messages that the service sends, in the `webhooks` of the document."""

from typing import Any

from pydantic import TypeAdapter

from gradyard.jobs.webhooks.events import WebhookEvent
from gradyard.jobs.webhooks.messages import DATA_OF
from service.http.openapi import REF

_HEADERS = {
    "webhook-id": "the same for each try of a message",
    "webhook-timestamp": "when this try was sent, in seconds since 1970",
    "webhook-signature": "`v1,` and the HMAC-SHA256 of id, timestamp and body in base64; two while a secret is rotated",
}
_ANSWERS = {"2XX": {"description": "accepted"}, "default": {"description": "it is sent again after a while"}}


def message_schemas() -> dict[str, Any]:
    """What stands in `data` of the messages, by name."""
    kinds = {kind.__name__: kind for kind in DATA_OF.values()}
    inputs: list[tuple[str, Any, TypeAdapter[Any]]] = [
        (name, "serialization", TypeAdapter(kind)) for name, kind in kinds.items()
    ]
    named, rest = TypeAdapter.json_schemas(inputs, ref_template=REF)
    return {name: named[name, "serialization"] for name in kinds} | rest["$defs"]


def messages() -> dict[str, Any]:
    """Each kind of message as a request that the service sends."""
    return {event.value: {"post": _operation(event)} for event in WebhookEvent}


def _operation(event: WebhookEvent) -> dict[str, Any]:
    kind = DATA_OF[event]
    schema = {
        "type": "object", "required": ["type", "timestamp", "data"],
        "properties": {
            "type": {"type": "string", "const": event.value},
            "timestamp": {"type": "string", "format": "date-time", "description": "when it happened"},
            "data": {"$ref": REF.format(model=kind.__name__)},
        },
    }  # fmt: skip
    headers = [
        {"name": name, "in": "header", "required": True, "description": text, "schema": {"type": "string"}}
        for name, text in _HEADERS.items()
    ]
    return {
        "operationId": f"receive_{event.name.lower()}", "summary": (kind.__doc__ or "").splitlines()[0],
        "tags": ["webhooks"], "parameters": headers, "responses": _ANSWERS,
        "requestBody": {"required": True, "content": {"application/json": {"schema": schema}}},
    }  # fmt: skip
