"""What workers and maintenance write to stderr: a line for each thing that happened, with who it happened to."""

import logging
import sys
from collections.abc import Mapping, MutableMapping, Sequence
from typing import Any

import structlog

from gradyard.jobs.settings import Settings
from gradyard.store.lifecycle import ClaimedJob

log = structlog.get_logger()


def write_logs(settings: Settings, who: Mapping[str, str]) -> None:
    """From now on this process logs as the settings say, and `who` stands in every line."""
    lines: structlog.typing.Processor = structlog.dev.ConsoleRenderer(colors=False, pad_event_to=0)
    if settings.log_format == "json":
        lines = structlog.processors.JSONRenderer()

    def named(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        return {**who, **event}

    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars, named, structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True), structlog.processors.format_exc_info, lines,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(settings.log_level)),
        # Celery puts its own stream in place of stderr, which would write a prefix before each line.
        logger_factory=structlog.WriteLoggerFactory(sys.__stderr__),
    )  # fmt: skip


def log_finished(members: Sequence[ClaimedJob], why: str) -> None:
    """These jobs are no longer this worker's; their events tell where they went."""
    if members:
        log.info("over", why=why, **names(members))


def names(members: Sequence[ClaimedJob]) -> dict[str, Any]:
    """Which jobs a line is about, each with its attempt: one as `job` and `attempt`, more as `jobs`, ID/ATTEMPT."""
    if len(members) == 1:
        return {"job": str(members[0].id), "attempt": members[0].attempt}
    return {"jobs": [f"{each.id}/{each.attempt}" for each in members]}
