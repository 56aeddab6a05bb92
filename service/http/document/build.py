"""The document: what flask-openapi3 gathers from the routes, with all that it leaves out."""

import re
from typing import Any

from flask_openapi3.openapi import OpenAPI

from service.http.access.scopes import NEEDED
from service.http.document.examples import add_example
from service.http.document.introduction import TAGS
from service.http.document.schemas import schemas
from service.http.document.webhooks import messages
from service.http.openapi import OPEN_TO_ALL

_TEXT: dict[str, Any] = {"schema": {"type": "string"}}
_SECONDS: dict[str, Any] = {"schema": {"type": "integer", "minimum": 0}}
RETRY_AFTER = {"Retry-After": {"description": "in how many seconds to send it again"} | _SECONDS}
OF_A_SUBMISSION = {
    "Location": {"description": "where the new job or batch is"} | _TEXT,
    "Idempotent-Replayed": {"description": "`true`: the answer of the first request with this key"} | _TEXT,
}
IDEMPOTENCY_KEY = {
    "name": "Idempotency-Key", "in": "header", "required": False,
    "description": "makes it safe to send the same request again: a text of your own, new for each new request",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]([ -~]*[!-~])?$"},
}  # fmt: skip
METHODS = ("post", "get", "put", "patch", "delete")
HEADERS = {"202": OF_A_SUBMISSION, "429": RETRY_AFTER, "503": RETRY_AFTER}


def document(app: OpenAPI) -> dict[str, Any]:
    """The OpenAPI document of the app's routes, with the schemas as pydantic writes them."""
    document: dict[str, Any] = app.api_doc
    # flask-openapi3 drops keywords of JSON Schema that it does not know, and turns line ends into HTML.
    document["components"]["schemas"] = schemas()
    document["tags"] = _tags(document["tags"])
    document["paths"] = {path: _in_order(operations) for path, operations in document["paths"].items()}
    for operation in (operation for path in document["paths"].values() for operation in path.values()):
        add_example(operation)
        if operation.pop("x-repeatable", False):
            operation.setdefault("parameters", []).append(IDEMPOTENCY_KEY)
        operation["summary"] = operation["summary"].replace("`", "")  # no page shows it as Markdown
        operation["description"] = operation.get("description", "").replace("<br/>", "\n").strip()
        for status, headers in HEADERS.items():
            if status in operation["responses"]:
                operation["responses"][status]["headers"] = headers
    _add_scopes(app, document["paths"])
    document["webhooks"] = messages()
    return document


def _in_order(operations: dict[str, Any]) -> dict[str, Any]:
    """The operations of a path as a reader comes to them."""
    return {method: operations[method] for method in METHODS if method in operations}


def _tags(used: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The tags in use, in the order of `TAGS`, each with its sentence."""
    known = list(TAGS)
    names = sorted({tag["name"] for tag in used}, key=lambda name: known.index(name) if name in known else len(known))
    return [{"name": name, "description": TAGS.get(name, "")} for name in names]


def _add_scopes(app: OpenAPI, paths: dict[str, Any]) -> None:
    for rule in app.url_map.iter_rules():
        operations = paths.get(re.sub(r"<(\w+)>", r"{\1}", rule.rule), {})
        for method in {each.lower() for each in rule.methods or ()} & set(operations):
            operation, scope = operations[method], NEEDED.get(rule.endpoint)
            if scope:
                operation["security"] = [{"key": [scope]}, *OPEN_TO_ALL]
            said = f"The key needs the scope `{scope.value}`." if scope else "It needs no key."
            operation["description"] = "\n\n".join(filter(None, (operation["description"], said)))
