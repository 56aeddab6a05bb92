"""What the routes say of themselves for the OpenAPI document, which `service.http.document` puts together."""

from inspect import isclass
from typing import Any

from flask_openapi3.blueprint import APIBlueprint
from flask_openapi3.models.tag import Tag

from gradyard.jobs.exports import CONTENT_TYPES, Form
from service.http.requests import JSON, MERGE_PATCH

REF = "#/components/schemas/{model}"
SECURITY_SCHEMES: Any = {"key": {"type": "http", "scheme": "bearer"}}
KEY_WHERE_ONE_IS_SET: list[dict[str, list[Any]]] = [{"key": []}, {}]
OPEN_TO_ALL: list[dict[str, list[Any]]] = [{}]
ALWAYS = {
    401: "without a valid key", 403: "the key lacks the scope; or, without keys, the sender is another machine",
    429: "the key or its project sends too many requests", 503: "the database does not answer",
}  # fmt: skip
SOMETIMES = {
    400: "not JSON, or a header that is not valid", 404: "not found", 406: "not available in that format",
    409: "its state does not allow that, or the id is ambiguous", 410: "it was deleted", 413: "too large",
    415: "not JSON", 422: "fields or parameters that are not valid",
    429: "too much is waiting, or the key or its project sends too many requests", 505: "it needs HTTP/1.1",
}  # fmt: skip


class Routes(APIBlueprint):
    """A blueprint that names the models of its answers, and leaves their schemas to `service.http.document`.

    flask-openapi3 would make the schema of each answer of each route while modules load: 0.3 s, thrown away.
    """

    def _collect_openapi_info(self, rule: str, func: Any, *, responses: Any = None, **about: Any) -> Any:
        named = {status: _named(each) if isclass(each) else each for status, each in (responses or {}).items()}
        return super()._collect_openapi_info(rule, func, responses=named, **about)


def _named(model: type) -> dict[str, Any]:
    return {"content": {"application/json": {"schema": {"$ref": REF.format(model=model.__name__)}}}}


def routes(name: str, prefix: str, tag: str | None = None) -> Routes:
    """A blueprint for routes below a prefix; the document shows them under one heading."""
    server_fault = _problem("a fault of the service")
    return Routes(
        name, "service", url_prefix=prefix, abp_tags=[Tag(name=tag or name)], abp_responses={"default": server_fault},
        operation_id_callback=_named_like_its_view,
    )  # fmt: skip


def _named_like_its_view(*, name: str, path: str, method: str) -> str:
    """`submit_job`: generated clients call their functions so."""
    return name


def problems(*statuses: int) -> dict[Any, Any]:
    """The documentation of the problems that a route may answer, with those that every route may answer."""
    described = ALWAYS | {status: SOMETIMES[status] for status in sorted(statuses)}
    return {str(status): _problem(text) for status, text in described.items()}


def _problem(text: str) -> dict[str, Any]:
    form = {"application/problem+json": {"schema": {"$ref": REF.format(model="Problem")}}}
    return {"description": text, "content": form}


REPEATABLE: dict[str, Any] = {"x-repeatable": True}
"""It takes an Idempotency-Key. The document adds the header: flask-openapi3 drops parameters of extensions."""


def _json_body(model: str, *, required: bool = True) -> dict[str, Any]:
    content = {"application/json": {"schema": {"$ref": REF.format(model=model)}}}
    return {"requestBody": {"required": required, "content": content}}


def _merge_patch(model: str) -> dict[str, Any]:
    schema = {"schema": {"$ref": REF.format(model=model)}}
    return {"requestBody": {"required": True, "content": dict.fromkeys((JSON, MERGE_PATCH), schema)}}


SUBMISSION = REPEATABLE | _json_body("JobSpec")
KEY_REQUEST = _json_body("KeyRequest")
ROTATION_REQUEST = _json_body("RotationRequest", required=False)
PREDICTION = _json_body("PredictionRequest")
RETRY_OF_JOB = REPEATABLE | _json_body("JobRetryRequest", required=False)
RETRY_OF_BATCH = REPEATABLE | _json_body("RetryRequest", required=False)
HOLD = _json_body("HoldRequest", required=False)
ACTION = REPEATABLE | _json_body("ActionRequest")
PATCH = _merge_patch("JobPatch")
RETENTION = _json_body("RetentionRequest")
WEBHOOK = _json_body("WebhookRequest")
WEBHOOK_CHANGES = _merge_patch("WebhookPatch")
SECRET_ROTATION = _json_body("SecretRotation", required=False)

BYTES: dict[str, Any] = {"schema": {"type": "string", "format": "binary"}}
BATCH_SUBMISSION = REPEATABLE | {
    "requestBody": {
        "required": True, "content": {
            "application/json": {"schema": {"oneOf": [
                {"$ref": REF.format(model="BatchOfJobs")}, {"$ref": REF.format(model="BatchSweep")},
            ]}},
            "application/x-ndjson": BYTES,
        },
    },
}  # fmt: skip

FILE = {"schema": BYTES["schema"] | {"minLength": 1}}
UPLOAD: dict[str, Any] = {"requestBody": {"required": True, "content": {"application/octet-stream": FILE}}}
FILE_CONTENT = {"description": "the bytes of the file", "content": {"application/octet-stream": BYTES}}
EXPORT = {
    "description": "a row for each job, or for each loss",
    "content": {each: BYTES if form in (Form.PARQUET, Form.ARROW) else {"schema": {"type": "string"}}
                for form, each in CONTENT_TYPES.items()},
}  # fmt: skip
TEXT = {"description": "text", "content": {"text/plain": {"schema": {"type": "string"}}}}
