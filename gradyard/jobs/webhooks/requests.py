"""Bodies of requests about webhooks, from JSON to a valid request."""

from typing import Annotated, Any

from pydantic import AfterValidator, Field, TypeAdapter

from gradyard.jobs.errors import BodyInvalid, FieldProblem
from gradyard.jobs.strict_model import StrictModel
from gradyard.jobs.submission.requests.verbs import read_body
from gradyard.jobs.webhooks.addresses import MOST_LETTERS, Reach
from gradyard.jobs.webhooks.events import CHOOSABLE, WebhookEvent
from gradyard.jobs.webhooks.signing import what_is_wrong

MOST_OVERLAP_HOURS = 24.0 * 30


def _choosable(event: WebhookEvent) -> WebhookEvent:
    if event not in CHOOSABLE:
        raise ValueError(f"must be one of {', '.join(CHOOSABLE)}; {event} is sent when it is asked for")
    return event


def _secret(text: str) -> str:
    if wrong := what_is_wrong(text):
        raise ValueError(wrong)
    return text


Event = Annotated[WebhookEvent, AfterValidator(_choosable), Field(json_schema_extra={"enum": list(CHOOSABLE)})]
Events = Annotated[list[Event], Field(min_length=1, max_length=len(CHOOSABLE))]
Secret = Annotated[str, AfterValidator(_secret), Field(max_length=200, json_schema_extra={"pattern": "^whsec_"})]
Url = Annotated[str, Field(min_length=1, max_length=MOST_LETTERS, description="https://…")]
Description = Annotated[str, Field(max_length=500)]


class WebhookRequest(StrictModel):
    """A request for a webhook: where its messages go, and what they tell.

    secret: `whsec_` and 24 to 64 random bytes in base64; null: the service makes one. batch_members: whether jobs of
    batches have messages of their own, or only that of their batch.
    """

    url: Url
    events: Events
    description: Description | None = None
    batch_members: bool = True
    secret: Secret | None = None


class WebhookPatch(StrictModel):
    """Changes of a webhook; what is not named stays. `enabled` true switches on one that was switched off."""

    url: Url | None = None
    events: Events | None = None
    description: Description | None = None
    batch_members: bool | None = None
    enabled: bool | None = None


class SecretRotation(StrictModel):
    """A request for a new secret: for how many hours messages are signed with the old one as well."""

    overlap_hours: float = Field(default=24.0, ge=0, le=MOST_OVERLAP_HOURS, allow_inf_nan=False)
    secret: Secret | None = None


_REQUEST, _PATCH, _ROTATION = TypeAdapter(WebhookRequest), TypeAdapter(WebhookPatch), TypeAdapter(SecretRotation)


def read_webhook_request(body: bytes, reach: Reach) -> WebhookRequest:
    """Read the request. Raises BodyMalformed where it is not JSON, BodyInvalid where a field is not valid."""
    request: WebhookRequest = read_body(_REQUEST, body)
    _check_url(request.url, reach)
    return request


def read_webhook_changes(body: bytes, reach: Reach) -> dict[str, Any]:
    """The changed fields by name. Raises BodyMalformed where it is not JSON, BodyInvalid where a field is not valid."""
    patch: WebhookPatch = read_body(_PATCH, body)
    changes = {name: getattr(patch, name) for name in patch.model_fields_set}
    for name, value in changes.items():
        if value is None and name != "description":
            raise BodyInvalid([FieldProblem(f"/{name}", "must not be null; leave it out to let it stay")])
    if patch.url is not None:
        _check_url(patch.url, reach)
    return changes


def read_secret_rotation(body: bytes) -> SecretRotation:
    """Read the request. Raises BodyMalformed where it is not JSON, BodyInvalid where a field is not valid."""
    request: SecretRotation = read_body(_ROTATION, body)
    return request


def _check_url(url: str, reach: Reach) -> None:
    try:
        reach.target(url)
    except ValueError as error:
        raise BodyInvalid([FieldProblem("/url", str(error))]) from None
