"""The schemas of the document: of the specs of all stages, of the bodies of other requests, and of all answers."""

from functools import cache
from inspect import isclass
from typing import Annotated, Any, Union

from pydantic import Field, TypeAdapter

from gradyard import shapes
from gradyard.jobs.stages.builtin import BUILT_IN
from gradyard.jobs.stages.registry import STAGES
from gradyard.jobs.submission.requests.batch_bodies import BatchSweep
from gradyard.jobs.submission.requests.changes import ActionRequest, JobPatch
from gradyard.jobs.submission.requests.keys import KeyRequest, RotationRequest
from gradyard.jobs.submission.requests.predictions import PredictionRequest
from gradyard.jobs.submission.requests.retention import RetentionRequest
from gradyard.jobs.submission.requests.verbs import HoldRequest, JobRetryRequest, RetryRequest
from gradyard.jobs.webhooks.requests import SecretRotation, WebhookPatch, WebhookRequest
from gradyard.shapes.base import Answer
from service.http.document.for_generators import for_generators, without_defaults
from service.http.document.plugin_schemas import add_plugins
from service.http.document.webhooks import message_schemas
from service.http.openapi import REF

BODIES: dict[str, Any] = {
    each.__name__: each
    for each in (
        ActionRequest, JobPatch, BatchSweep, KeyRequest, PredictionRequest, JobRetryRequest, RetryRequest, HoldRequest,
        RotationRequest, RetentionRequest, WebhookRequest, WebhookPatch, SecretRotation,
    )
}  # fmt: skip
"""By the names that `service.http.openapi` gives them."""

JOB_SPEC = {"title": "JobSpec", "description": "A job: `stage` says which of these it is, and so its parameters."}
BATCH_OF_JOBS = {
    "title": "BatchOfJobs", "description": "A batch as a list of its jobs.",
    "type": "object", "required": ["jobs"], "additionalProperties": False,
    "properties": {
        "jobs": {"type": "array", "minItems": 1, "items": {"$ref": REF.format(model="JobSpec")}},
        "name": {"type": ["string", "null"], "maxLength": 200},
    },
}  # fmt: skip


@cache
def schemas() -> dict[str, Any]:
    """Every schema by its name."""
    requests = _requests()
    add_plugins(requests, list(STAGES.values())[len(BUILT_IN) :])
    return for_generators(requests) | without_defaults(_answers()) | message_schemas()


def _requests() -> dict[str, Any]:
    inputs: list[tuple[str, Any, TypeAdapter[Any]]] = [("JobSpec", "validation", _built_in_specs())]
    inputs += [(name, "validation", TypeAdapter(each)) for name, each in BODIES.items()]
    named, rest = TypeAdapter.json_schemas(inputs, ref_template=REF)
    return {
        "JobSpec": {**JOB_SPEC, **named["JobSpec", "validation"]}, "BatchOfJobs": BATCH_OF_JOBS,
        **{name: named[name, "validation"] for name in BODIES},
        **rest["$defs"],  # last, since the entries above may be references to these
    }  # fmt: skip


def _answers() -> dict[str, Any]:
    models = [each for name in shapes.__all__ if isclass(each := getattr(shapes, name)) and issubclass(each, Answer)]
    inputs: list[tuple[str, Any, TypeAdapter[Any]]] = [
        (each.__name__, "serialization", TypeAdapter(each)) for each in models
    ]
    named, rest = TypeAdapter.json_schemas(inputs, ref_template=REF)
    return {**{each.__name__: named[each.__name__, "serialization"] for each in models}, **rest["$defs"]}


def _built_in_specs() -> TypeAdapter[Any]:
    models = tuple(stage.spec for stage in BUILT_IN)
    union: Any = Annotated[Union[models], Field(discriminator="stage")]  # noqa: UP007 - a tuple of the members
    return TypeAdapter(union)
