"""The Celery processes: pools, pinning, supervising, training. They know jobs, never Flask and never service."""

from typing import Any


def __getattr__(name: str) -> Any:
    # `celery -A workers` looks for this name; a runner, which imports this package too, must not load Celery.
    if name == "celery":
        from workers.celery_side.app import app

        return app
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
