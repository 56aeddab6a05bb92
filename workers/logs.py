"""What workers and maintenance write to stderr: a line for each event, with the process and the jobs it is about."""

import logging
import sys
from collections.abc import Callable, Mapping, MutableMapping, Sequence
from typing import Any

import structlog

from gradyard.jobs.settings import Settings
from gradyard.jobs.visible_logs import show_control_characters
from gradyard.jobs.visible_text import visible
from gradyard.store.lifecycle import ClaimedJob

log = structlog.get_logger()


def write_logs(settings: Settings, process: Mapping[str, str]) -> None:
    """Configure the log of this process as the settings say; each line names the `process`."""
    show_control_characters()
    lines: Callable[..., Any] = structlog.dev.ConsoleRenderer(colors=False, pad_event_to=0)
    if settings.log_format == "json":
        lines = structlog.processors.JSONRenderer()

    def name_process(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        return {**process, **event}

    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars, name_process, structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True), structlog.processors.format_exc_info,
            lambda logger, name, event: visible(lines(logger, name, event)),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(settings.log_level)),
        # Celery puts its own stream in place of stderr, which would write a prefix before each line.
        logger_factory=structlog.WriteLoggerFactory(sys.__stderr__),
    )  # fmt: skip


def log_finished(members: Sequence[ClaimedJob], reason: str) -> None:
    """Log that this worker is finished with these jobs. Their event logs tell which state they are in."""
    if members:
        log.info("finished", reason=reason, **names(members))


def names(members: Sequence[ClaimedJob]) -> dict[str, Any]:
    """The fields of a line that name these jobs: `job` and `attempt` for one, `jobs` as ID/ATTEMPT for several."""
    if len(members) == 1:
        return {"job": str(members[0].id), "attempt": members[0].attempt}
    return {"jobs": [f"{each.id}/{each.attempt}" for each in members]}
