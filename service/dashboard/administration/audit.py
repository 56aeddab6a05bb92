"""The audit: what people did with keys, workers and queues, what they changed and deleted."""

from typing import Any

from gradyard.jobs.audit import Action
from service.dashboard.administration.asked import address_with, asked, next_address
from service.http.parameters import AuditQuery
from service.routes.administration.audit import entries_listed

ICONS = {
    "key": "key", "webhook": "broadcast", "drained": "pause-circle", "undrained": "play-circle",
    "paused": "pause-circle", "resumed": "play-circle", "retention": "archive", "job": "list-task", "jobs": "list-task",
    "batch": "collection", "file": "file-earmark-spreadsheet",
}  # fmt: skip
"""By the first word of an action."""


def audit() -> tuple[str, dict[str, Any]]:
    """The page of the audit, of all projects or the one that is named."""
    query = asked(AuditQuery)
    listed = entries_listed(query)
    return "administration/audit.html", {
        "entries": listed.entries, "asked": query, "actions": list(Action), "icons": ICONS,
        "next_address": next_address("audit", listed.next_cursor), "first_address": address_with("audit", cursor=None),
        "everyone_address": address_with("audit", cursor=None, project=None),
    }  # fmt: skip
