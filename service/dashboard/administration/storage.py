"""What projects store, and which ended jobs they keep."""

from typing import Any

from gradyard import shapes
from gradyard.jobs.api_keys import Scope
from gradyard.jobs.storage import FILES, StoredKind
from service.dashboard.administration.asked import asked
from service.dashboard.administration.sizes import UNITS, in_largest_unit
from service.http.access.callers import current_caller
from service.http.parameters import ProjectQuery
from service.routes.administration.storage import storage_shown

KIND_WORDS = {
    StoredKind.LOSSES: "loss curves", StoredKind.METRICS: "curves of metrics", StoredKind.ARTIFACTS: "artifacts",
    StoredKind.CHECKPOINTS: "checkpoints", StoredKind.LOGS: "logs", StoredKind.EVENTS: "moves of jobs",
    StoredKind.SPECS: "specs", FILES: "uploaded files",
}  # fmt: skip


def storage() -> tuple[str, dict[str, Any]]:
    """The page of what the caller's project stores, and for operators of what each does."""
    query, caller = asked(ProjectQuery), current_caller()
    stored = storage_shown(query)
    own = next(each for each in stored.projects if each.project == caller.project)
    return "administration/storage.html", {
        "own": own, "projects": sorted(stored.projects, key=lambda each: (-each.bytes, each.project)),
        "database_bytes": stored.database_bytes, "kind_words": KIND_WORDS, "kinds": _largest_first(own),
        "units": UNITS, "rule_bytes": in_largest_unit(own.retention.bytes), "may_set": caller.may(Scope.ADMIN),
        "all_bytes": sum(each.bytes for each in stored.projects),
    }  # fmt: skip


def _largest_first(project: shapes.ProjectStorage) -> list[shapes.StoredOfKind]:
    return sorted(project.kinds, key=lambda each: -each.bytes)
