"""Every route of an app, as requests that tests can send."""

from uuid import UUID

from flask import Flask

# A value for each variable of a path; a route with a new one fails here until it is named.
VALUES = {
    "job_id": str(UUID(int=7)), "batch_id": str(UUID(int=8)), "name": "tensor", "filename": "css/swagger-ui.css",
    "version": "x", "part": "page.css",
    "target": "cpu-0@host", "queue": "cpu", "key_id": str(UUID(int=9)),
    "webhook_id": str(UUID(int=10)), "delivery_id": str(UUID(int=11)),
    "file_id": "7" * 64,
}  # fmt: skip

# What a query must have, by endpoint
QUERIES = {
    "losses.show_losses_of_many": f"job={UUID(int=7)}",
    "metrics_and_artifacts.show_metric_of_many": f"job={UUID(int=7)}", "live.watch_many": f"job={UUID(int=7)}",
}  # fmt: skip


def requests_of(app: Flask) -> list[tuple[str, str, str]]:
    """Method, path and endpoint of every rule in the app's route table, its automatic methods included."""
    found = []
    for rule in app.url_map.iter_rules():
        path = rule.rule.replace("<path:", "<")
        for name in rule.arguments:
            path = path.replace(f"<{name}>", VALUES[name])
        found += [(method, path, rule.endpoint) for method in sorted(rule.methods or ())]
    return found
