"""What Celery's remote control may do with a worker: ask. Others who reach Redis could else stop or slow every worker.

`celery inspect`, the health check of the compose file and Flower need no more.
"""

from celery.worker.control import Panel

QUESTIONS = frozenset({
    "ping", "active", "active_queues", "conf", "query_task", "registered", "report", "reserved", "revoked",
    "scheduled", "stats",
})  # fmt: skip
EVENTS = frozenset({"enable_events", "disable_events"})
"""Commands by which Flower sees tasks while it is open. They change what is told of a worker, not what it does."""


def answer_questions_alone() -> None:
    """Have the workers of this process answer these commands and no others."""
    for name in set(Panel.data) - QUESTIONS - EVENTS:
        del Panel.data[name]
