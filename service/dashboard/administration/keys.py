"""The keys of the API: a list, a form for a new one, and the buttons that replace and revoke one."""

from typing import Any

from gradyard.jobs.api_keys import Scope
from service.dashboard.administration.asked import asked, next_address
from service.http.access.callers import current_caller
from service.http.query_parameters.pages import LongPageQuery
from service.routes.administration.api_keys import keys_listed

SCOPE_WORDS = {
    Scope.JOBS_READ: "look at jobs, curves and results", Scope.JOBS_WRITE: "submit jobs, and cancel and delete its own",
    Scope.FILES_WRITE: "upload files, and delete them", Scope.METRICS_READ: "read the service's metrics",
    Scope.ADMIN: "everything in its project, also jobs of others and keys",
    Scope.OPERATOR: "workers and queues, the audit, and a look at every project",
}  # fmt: skip
USUAL = (Scope.JOBS_READ, Scope.JOBS_WRITE)
STATE_ICONS = {"live": "check-circle-fill", "expired": "hourglass-bottom", "revoked": "slash-circle"}


def keys() -> tuple[str, dict[str, Any]]:
    """The page of the keys that the caller may see."""
    query, caller = asked(LongPageQuery), current_caller()
    listed = keys_listed(query)
    return "administration/keys.html", {
        "keys": listed.keys, "next_address": next_address("keys", listed.next_cursor),
        "scopes": [scope for scope in SCOPE_WORDS if caller.may(scope)], "scope_words": SCOPE_WORDS, "usual": USUAL,
        "key_icons": STATE_ICONS, "everywhere": caller.may_everywhere(Scope.ADMIN),
        "of_all": query.project is None and caller.may_everywhere(Scope.ADMIN),
    }  # fmt: skip
