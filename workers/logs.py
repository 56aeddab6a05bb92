"""What workers and maintenance write to stderr: a line for each thing that happened, with who it happened to."""

import logging
import sys
from collections.abc import Mapping, MutableMapping
from typing import Any

import structlog

from jobs.settings import Settings


def write_logs(settings: Settings, who: Mapping[str, str]) -> None:
    """From now on this process logs as the settings say, and `who` stands in every line."""
    lines: structlog.typing.Processor = structlog.dev.ConsoleRenderer(colors=False, pad_event_to=0)
    if settings.log_format == "json":
        lines = structlog.processors.JSONRenderer()

    def named(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        return {**who, **event}

    structlog.configure(
        processors=[
            named, structlog.processors.add_log_level, structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info, lines,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(settings.log_level)),
        # Celery puts its own stream in place of stderr, which would write a prefix before each line.
        logger_factory=structlog.WriteLoggerFactory(sys.__stderr__),
    )  # fmt: skip
