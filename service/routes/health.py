"""For those who watch the process: is it alive, and are jobs accepted and done."""

import logging
from importlib.metadata import version

from flask import Response

import migrations
from gradyard import shapes
from gradyard.jobs.errors import DatabaseNotReady, DatabaseReadOnly, DatabaseUnavailable
from gradyard.jobs.fleet import WORKER_QUEUES
from gradyard.store import queries
from gradyard.store.database import Database
from service.http.json_response import json_response
from service.http.openapi import OPEN_TO_ALL, routes
from service.http.services import current_services

logger = logging.getLogger(__name__)

VERSION = version("gradyard")
NO_WORKERS = {queue.value: 0 for queue in WORKER_QUEUES}  # by text: orjson refuses enums as keys
TAKES_NO_WRITES = "takes no writes; what trains goes on, and jobs are accepted when it takes writes again"

api = routes("health", "")


@api.get("/healthz", responses={"200": shapes.Health}, security=OPEN_TO_ALL)
def healthz() -> Response:
    """Say that the process is alive; touches nothing."""
    return json_response(shapes.Health.of(status="ok"))


@api.get("/readyz", responses={"200": shapes.Readiness, "503": shapes.Readiness}, security=OPEN_TO_ALL)
def readyz() -> Response:
    """Say whether jobs are accepted (503 where not) and whether a worker trains them."""
    services = current_services()
    database, workers = _database_and_workers(services.database)
    trouble = services.bells.trouble()
    redis = f"{trouble}; jobs are accepted, and start up to a minute later" if trouble else "ok"
    status = "unavailable" if database != "ok" else "ready" if redis == "ok" and any(workers.values()) else "degraded"
    body = shapes.Readiness.of(
        status=status, database=database, redis=redis, workers=workers, version=VERSION,
        database_kind="SQLite" if services.database.is_sqlite else "PostgreSQL",
        watcher_age_seconds=round(services.watcher.age_seconds(), 3),
    )  # fmt: skip
    return json_response(body, 503, Retry_After="1") if status == "unavailable" else json_response(body)


def _database_and_workers(database: Database) -> tuple[str, dict[str, int]]:
    try:
        migrations.check(database)
        with database.read() as connection:
            workers = NO_WORKERS | queries.live_slots(connection)
        return "ok" if database.takes_writes() else TAKES_NO_WRITES, workers
    except DatabaseReadOnly as error:
        logger.warning("not ready: %s", error)
        return TAKES_NO_WRITES, NO_WORKERS
    except DatabaseNotReady as error:
        return str(error), NO_WORKERS
    except DatabaseUnavailable as error:
        logger.warning("not ready: %s", error)  # its address is not for everyone who may ask here
        return "does not answer", NO_WORKERS
