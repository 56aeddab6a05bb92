"""The audit: what people did with keys, workers and queues, and what they deleted."""

from flask import Response

from gradyard import shapes
from gradyard.store import queries
from service.http import parameters
from service.http.access.callers import current_caller
from service.http.json_response import json_response
from service.http.openapi import problems, routes
from service.http.query_parameters.pages import refusing_wrong_cursors
from service.http.services import current_services
from service.representation.administration.audit import entry_answer

api = routes("audit", "/v1/audit", tag="audit")


@api.get("", responses={"200": shapes.AuditLog, **problems(404, 422)})
def list_audit_entries(query: parameters.AuditQuery) -> Response:
    """List what was done with keys, workers and queues, and what was deleted: the newest first, of all projects."""
    return json_response(entries_listed(query))


def entries_listed(query: parameters.AuditQuery) -> shapes.AuditLog:
    """The entries that a query asks for, for the route and the page."""
    project = None if query.project is None else current_caller().project_id
    chosen = query.model_dump(exclude={"project"})
    with current_services().database.read() as connection, refusing_wrong_cursors():
        entries, cursor = queries.audit_newest_first(connection, project, **chosen)
    shown = [entry_answer(each) for each in entries]
    return shapes.AuditLog.of(entries=shown, next_cursor=cursor)
