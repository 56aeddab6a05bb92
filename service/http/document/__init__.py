"""The OpenAPI document at /openapi.json, put together from what the routes say, and the page that shows it at /docs."""
