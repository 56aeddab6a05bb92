"""The OpenAPI 3.1 document at /openapi.json, and a page that shows it at /docs."""

import re
from functools import cache
from importlib.resources import files
from inspect import isclass
from typing import Any

import orjson
from flask import Blueprint, Response
from flask_openapi3.blueprint import APIBlueprint
from flask_openapi3.models.tag import Tag
from flask_openapi3.openapi import OpenAPI
from pydantic import TypeAdapter

from gradyard import shapes
from gradyard.jobs.submission.batches import SweepBody
from gradyard.jobs.submission.key_requests import KeyRequest
from gradyard.jobs.submission.parse import spec_adapter
from gradyard.jobs.submission.prediction_requests import PredictionRequest
from gradyard.jobs.submission.verb_requests import HoldRequest, RetryRequest
from gradyard.shapes.base import Answer
from service.http.proxy import outer_path
from service.http.scopes import NEEDED

REF = "#/components/schemas/{model}"
SECURITY_SCHEMES: Any = {"key": {"type": "http", "scheme": "bearer"}}
KEY_WHERE_ONE_IS_SET: list[dict[str, list[Any]]] = [{"key": []}, {}]
OPEN_TO_ALL: list[dict[str, list[Any]]] = [{}]
ALWAYS = {
    401: "without a valid key", 403: "the key lacks the scope; or, without keys, the sender is another machine",
    503: "the database does not answer",
}  # fmt: skip
SOMETIMES = {
    400: "not JSON, or a header that is not valid", 404: "not found", 406: "not available in that format",
    409: "its state does not allow that, or the id is ambiguous", 410: "it was deleted", 413: "too large",
    415: "not JSON", 422: "fields or parameters that are not valid", 429: "too much is waiting",
}  # fmt: skip


def routes(name: str, prefix: str, tag: str | None = None) -> APIBlueprint:
    """A blueprint for routes below a prefix; the document shows them under one heading."""
    server_fault = _problem("a fault of the service")
    return APIBlueprint(
        name, "service", url_prefix=prefix, abp_tags=[Tag(name=tag or name)], abp_responses={"default": server_fault}
    )


def problems(*statuses: int) -> dict[Any, Any]:
    """The documentation of the problems that a route may answer, with those that every route may answer."""
    described = {status: SOMETIMES[status] for status in statuses} | ALWAYS
    return {str(status): _problem(text) for status, text in described.items()}


def _problem(text: str) -> dict[str, Any]:
    form = {"application/problem+json": {"schema": {"$ref": REF.format(model="Problem")}}}
    return {"description": text, "content": form}


REPEATABLE: dict[str, Any] = {
    "parameters": [{
        "name": "Idempotency-Key", "in": "header", "required": False,
        "description": "makes it safe to send the same request again",
        "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[ -~]*$"},
    }],
}  # fmt: skip


def _json_body(model: str, *, required: bool = True) -> dict[str, Any]:
    content = {"application/json": {"schema": {"$ref": REF.format(model=model)}}}
    return {"requestBody": {"required": required, "content": content}}


SUBMISSION = REPEATABLE | _json_body("JobSpec")
KEY_REQUEST = _json_body("KeyRequest")
PREDICTION = _json_body("PredictionRequest")
RETRY_OF_BATCH = REPEATABLE | _json_body("RetryRequest", required=False)
HOLD = _json_body("HoldRequest", required=False)

BATCH_SUBMISSION = REPEATABLE | {
    "requestBody": {
        "required": True, "content": {
            "application/json": {"schema": {"oneOf": [
                {"$ref": REF.format(model="BatchOfJobs")}, {"$ref": REF.format(model="BatchSweep")},
            ]}},
            "application/x-ndjson": {"schema": {"type": "string"}},
        },
    },
}  # fmt: skip

NPY: dict[str, Any] = {"application/x-npy": {"schema": {"type": "string", "format": "binary"}}}
CURVE: dict[str, Any] = {"text/csv": {"schema": {"type": "string"}}} | NPY
EXPORT = {
    "description": "a line for each job, or for each loss",
    "content": {"application/x-ndjson": {"schema": {"type": "string"}}, "text/csv": {"schema": {"type": "string"}}},
}
TEXT = {"description": "text", "content": {"text/plain": {"schema": {"type": "string"}}}}
ARRAY = {"description": "the array", "content": NPY}
EVERY_LOSS, EVERY_METRIC = (
    {
        "description": "the curve",
        "content": {"application/json": {"schema": {"$ref": REF.format(model=model)}}} | CURVE,
    }
    for model in ("Losses", "MetricCurve")
)


def document(app: OpenAPI) -> dict[str, Any]:
    """The OpenAPI document of the app's routes, with the schemas as pydantic writes them."""
    document: dict[str, Any] = app.api_doc
    # flask-openapi3 drops keywords of JSON Schema that it does not know, and turns line ends into HTML.
    document["components"]["schemas"] = _schemas()
    for operation in (operation for path in document["paths"].values() for operation in path.values()):
        if "description" in operation:
            operation["description"] = operation["description"].replace("<br/>", "\n").strip()
    _add_scopes(app, document["paths"])
    return document


def _add_scopes(app: OpenAPI, paths: dict[str, Any]) -> None:
    for rule in app.url_map.iter_rules():
        if scope := NEEDED.get(rule.endpoint):
            operations = paths[re.sub(r"<(\w+)>", r"{\1}", rule.rule)]
            for method in {each.lower() for each in rule.methods or ()} & set(operations):
                operations[method]["security"] = [{"key": [scope]}, *OPEN_TO_ALL]


BODIES: dict[str, Any] = {
    "BatchSweep": SweepBody, "KeyRequest": KeyRequest, "PredictionRequest": PredictionRequest,
    "RetryRequest": RetryRequest, "HoldRequest": HoldRequest,
}  # fmt: skip
BATCH_OF_JOBS = {
    "type": "object", "required": ["jobs"], "additionalProperties": False,
    "properties": {
        "jobs": {"type": "array", "minItems": 1, "items": {"$ref": REF.format(model="JobSpec")}},
        "name": {"type": ["string", "null"], "maxLength": 200},
    },
}  # fmt: skip


@cache
def _schemas() -> dict[str, Any]:
    models = [each for name in shapes.__all__ if isclass(each := getattr(shapes, name)) and issubclass(each, Answer)]
    inputs: list[tuple[str, Any, TypeAdapter[Any]]] = [("JobSpec", "validation", spec_adapter())]
    inputs += [(name, "validation", TypeAdapter(each)) for name, each in BODIES.items()]
    inputs += [(each.__name__, "serialization", TypeAdapter(each)) for each in models]
    named, rest = TypeAdapter.json_schemas(inputs, ref_template=REF)
    return {
        **{name: named[name, "validation"] for name in ("JobSpec", *BODIES)}, "BatchOfJobs": BATCH_OF_JOBS,
        **rest["$defs"],  # last, since the entries above may be references to these
    }  # fmt: skip


ENDPOINTS = ("docs.openapi_json", "docs.docs", "docs.start", "docs.static")


def install(app: OpenAPI) -> None:
    """Serve the document and a page that shows it. The page needs no other server: its parts are in a package."""
    swagger_ui = files("flask_openapi3_swagger") / "templates" / "swagger"
    pages = Blueprint("docs", __name__, static_folder=str(swagger_ui), static_url_path="/docs/parts")
    known: dict[str, Any] = {}

    @pages.get("/openapi.json")
    def openapi_json() -> Response:
        if not known:
            known.update(document(app))
        served = known | {"servers": [{"url": outer_path("/")}]}
        return Response(orjson.dumps(served), content_type="application/json")

    @pages.get("/docs")
    def docs() -> Response:
        return Response(PAGE, content_type="text/html; charset=utf-8", headers={"Content-Security-Policy": PAGE_POLICY})

    @pages.get("/docs/start.js")
    def start() -> Response:
        return Response(START, content_type="text/javascript; charset=utf-8")

    app.register_blueprint(pages)


# Paths relative to that of the page: a proxy may serve it below a prefix.
PAGE_POLICY = "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'none'"
PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>gradyard: HTTP API</title>
<link rel="stylesheet" href="docs/parts/css/swagger-ui.css">
<div id="page"></div>
<script src="docs/parts/js/swagger-ui-bundle.js"></script>
<script src="docs/start.js"></script>
</html>
"""
START = """SwaggerUIBundle({url: "openapi.json", dom_id: "#page", deepLinking: true, validatorUrl: null});
"""
