"""Where the document is served: as JSON, and as a page that shows it. The page needs no other server."""

from importlib.resources import files
from typing import Any

import orjson
from flask import Blueprint, Response
from flask_openapi3.openapi import OpenAPI

from service.http.document.build import document
from service.http.proxy import outer_path

ENDPOINTS = ("docs.openapi_json", "docs.docs", "docs.start", "docs.static")


def install(app: OpenAPI) -> None:
    """Serve the document and a page that shows it. The page's parts are in a package."""
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
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>gradyard: HTTP API</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="docs/parts/css/swagger-ui.css">
<div id="page"></div>
<script src="docs/parts/js/swagger-ui-bundle.js"></script>
<script src="docs/start.js"></script>
</html>
"""
START = """SwaggerUIBundle({
  url: "openapi.json", dom_id: "#page", deepLinking: true, validatorUrl: null, docExpansion: "list",
  defaultModelsExpandDepth: 0, displayRequestDuration: true,
});
"""
