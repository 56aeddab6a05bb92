"""What projects store, and which ended jobs they keep: show it, and set the rules."""

from flask import Response
from sqlalchemy import Connection

from gradyard import shapes
from gradyard.jobs.api_keys import Scope
from gradyard.jobs.audit import Action
from gradyard.jobs.storage import RetentionRule
from gradyard.jobs.submission.requests.retention import read_retention_rule
from gradyard.store import queries
from gradyard.store.dialects import clock_of
from gradyard.store.retention import rules
from gradyard.store.retention.preview import count_due
from gradyard.store.upkeep.space import size_bytes
from service import audit
from service.http import parameters
from service.http.access.callers import current_caller
from service.http.json_response import json_response
from service.http.openapi import RETENTION, problems, routes
from service.http.query_parameters.storage import RetentionQuery
from service.http.requests import json_body
from service.http.services import current_services
from service.representation.administration.storage import retention_answer, storage_answer

api = routes("storage", "/v1/storage", tag="storage")


@api.get("", responses={"200": shapes.Storage, **problems(404, 422)})
def show_storage(query: parameters.ProjectQuery) -> Response:
    """Show what the caller's project stores, by kind, and its limits; to operators that of all projects.

    The figures are added up about every minute; `measured_at` says when.
    """
    return json_response(storage_shown(query))


def storage_shown(query: parameters.ProjectQuery) -> shapes.Storage:
    """What projects store, for the route and the page."""
    services, caller = current_services(), current_caller()
    everyone = query.project is None and caller.may(Scope.OPERATOR)
    with services.database.read() as connection:
        rows = queries.storage_by_project(connection, None if everyone else caller.project_id)
    size = size_bytes(services.database) if caller.may(Scope.OPERATOR) else None
    shown = [storage_answer(row, services.settings) for row in rows]
    return shapes.Storage.of(projects=shown, database_bytes=size)


@api.get("/retention", responses={"200": shapes.RetentionRule, **problems(404, 422)})
def show_retention(query: parameters.ProjectQuery) -> Response:
    """Show which ended jobs the project keeps, and how many are to go now."""
    with current_services().database.read() as connection:
        return _rule(connection)


@api.put(
    "/retention", responses={"200": shapes.RetentionRule, **problems(400, 404, 413, 415, 422)},
    openapi_extensions=RETENTION,
)  # fmt: skip
def set_retention(query: RetentionQuery) -> Response:
    """Set which ended jobs the project keeps. Maintenance deletes the others, from the next minute on.

    With `preview` nothing is set, and the answer says how many jobs the rule would let go now.
    """
    rule, caller = read_retention_rule(json_body('{"days": 90}')), current_caller()
    if query.preview:
        return _preview(rule, "project")
    with current_services().database.begin() as connection:
        rules.set_rule(connection, caller.project_id, rule, actor=caller.actor)
        audit.note(connection, Action.RETENTION_SET, caller.project, str(rule))
    with current_services().database.read() as connection:
        return _rule(connection)


@api.delete("/retention", responses={"200": shapes.RetentionRule, **problems(404, 422)})
def unset_retention(query: RetentionQuery) -> Response:
    """Let the project keep what the settings of the service say. Changes nothing where it has no rule of its own.

    With `preview` nothing is set, and the answer says how many jobs the rule of the service would let go now.
    """
    caller = current_caller()
    if query.preview:
        return _preview(current_services().settings.retention_rule, "service")
    with current_services().database.begin() as connection:
        if rules.unset_rule(connection, caller.project_id):
            audit.note(connection, Action.RETENTION_SET, caller.project, "that of the service")
    with current_services().database.read() as connection:
        return _rule(connection)


def _preview(rule: RetentionRule, set_for: str) -> Response:
    with current_services().database.read() as connection:
        due = _due(connection, rule)
    shown = {"set_for": set_for, "set_at": None, "set_by": None, "due": due}
    return json_response(shapes.RetentionRule.of(**vars(rule), **shown))


def _rule(connection: Connection) -> Response:
    project_id, settings = current_caller().project_id, current_services().settings
    rule = rules.rule_of(connection, project_id, settings.retention_rule)
    (row,) = queries.storage_by_project(connection, project_id)
    return json_response(retention_answer(row, settings, _due(connection, rule)))


def _due(connection: Connection, rule: RetentionRule) -> int | None:
    return count_due(connection, current_caller().project_id, rule, at=clock_of(connection))
