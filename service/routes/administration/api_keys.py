"""Keys of the API: made, listed, followed by others, revoked; by administrators of projects and of the service."""

from collections.abc import Iterable
from functools import partial
from typing import Any
from uuid import UUID

from flask import Response
from sqlalchemy import Connection, Row
from werkzeug.exceptions import Forbidden

from gradyard import shapes
from gradyard.jobs.api_keys import Scope, new_secret, understood
from gradyard.jobs.audit import Action
from gradyard.jobs.submission.requests.keys import read_key_request, read_rotation_request
from gradyard.store import lifecycle, queries
from service import audit
from service.http import parameters
from service.http.access.callers import current_caller
from service.http.ids import whole_id
from service.http.json_response import json_response
from service.http.openapi import KEY_REQUEST, ROTATION_REQUEST, problems, routes
from service.http.query_parameters.pages import LongPageQuery, refusing_wrong_cursors
from service.http.requests import json_body, optional_json_body
from service.http.services import current_services
from service.representation.administration.api_keys import key_answer, key_candidate, new_key_answer

api = routes("api_keys", "/v1/keys", tag="keys")


@api.post("", responses={"201": shapes.NewApiKey, **problems(400, 409, 413, 415, 422)}, openapi_extensions=KEY_REQUEST)
def make_key(query: parameters.NoQuery) -> Response:
    """Make a key of the caller's project; an operator may name another, which is made where there is none.

    Only this answer has the key; the service does not store it. Two keys of one name may be live at a time, so that
    one can replace the other. A key opens no more than that of the caller.
    """
    asked, secret, caller = read_key_request(json_body('{"name": "ada"}')), new_secret(), current_caller()
    asked = asked.model_copy(update={"project": asked.project or caller.project})
    if asked.project != caller.project and not caller.may_everywhere(Scope.ADMIN):
        raise Forbidden(
            f"only keys with the scope operator make keys of other projects than their own, {caller.project}"
        )
    _check_reach(asked.scopes)
    with current_services().database.begin() as connection:
        key_id = lifecycle.make_key(connection, asked, secret, actor=caller.actor)
        return _made(connection, Action.KEY_CREATED, key_id, secret)


@api.get("", responses={"200": shapes.ApiKeyList, **problems(404, 422)})
def list_keys(query: LongPageQuery) -> Response:
    """List the keys of the caller's project, the newest first, also those that are revoked or expired.

    Those of all projects for an operator who is an administrator as well.
    """
    return json_response(keys_listed(query))


@api.post(
    "/<key_id>/rotate", responses={"201": shapes.NewApiKey, **problems(400, 404, 409, 413, 415, 422)},
    openapi_extensions=ROTATION_REQUEST,
)  # fmt: skip
def rotate_key(path: parameters.KeyPath, query: parameters.NoQuery) -> Response:
    """Make the successor of a key, with its name, project and scopes. For `overlap_hours` both keys open the project.

    Only this answer has the new key; the service does not store it.
    """
    asked, secret = read_rotation_request(optional_json_body()), new_secret()
    with current_services().database.begin() as connection:
        old = _key_in_reach(connection, path.key_id)
        _check_reach(understood(old.scopes))
        key_id = lifecycle.rotate_key(connection, old, asked, secret, actor=current_caller().actor)
        return _made(connection, Action.KEY_ROTATED, key_id, secret)


@api.delete("/<key_id>", responses={"204": None, **problems(404, 422)})
def revoke_key(path: parameters.KeyPath, query: parameters.NoQuery) -> Response:
    """Revoke a key: it stops working within seconds. A second call changes nothing."""
    with current_services().database.begin() as connection:
        key = _key_in_reach(connection, path.key_id)
        _check_reach({Scope.OPERATOR} & set(understood(key.scopes)))  # a project shuts out no operator of the service
        lifecycle.revoke_key(connection, key.id)
        if key.revoked_at is None:
            audit.note(connection, Action.KEY_REVOKED, key.id, _words(key))
    return Response(status=204)


def keys_listed(query: LongPageQuery) -> shapes.ApiKeyList:
    """The keys that a query asks for, for the route and the page."""
    project = current_caller().project_id if query.project is not None else _reach()
    with current_services().database.read() as connection, refusing_wrong_cursors():
        rows, cursor = queries.keys_newest_first(connection, project, limit=query.limit, cursor=query.cursor)
    return shapes.ApiKeyList.of(keys=[key_answer(row) for row in rows], next_cursor=cursor)


def _made(connection: Connection, action: Action, key_id: UUID, secret: str) -> Response:
    made = queries.key_by_id(connection, None, key_id)
    audit.note(connection, action, key_id, _words(made))
    return json_response(new_key_answer(made, secret), 201)


def _words(key: Row[Any]) -> str:
    return f"{key.name} of {key.project}: {', '.join(understood(key.scopes))}"


def _reach() -> int | None:
    """The project whose keys the caller may see and change; None for all."""
    caller = current_caller()
    return None if caller.may_everywhere(Scope.ADMIN) else caller.project_id


def _key_in_reach(connection: Connection, text: str) -> Row[Any]:
    """The key of that id, or of the only id that begins like that, which the caller may see.

    Raises NotFound where there is none, AmbiguousId where there are several.
    """
    between = partial(queries.keys_between, connection, _reach())
    return queries.key_by_id(connection, _reach(), whole_id(text, "key", between, key_candidate))


def _check_reach(scopes: Iterable[str]) -> None:
    """Raise Forbidden where a key of these scopes opens more than that of the caller. Unknown scopes open nothing."""
    caller = current_caller()
    if beyond := sorted(scope for scope in scopes if scope in set(Scope) and not caller.may(Scope(scope))):
        raise Forbidden(f"a key with the scope {', '.join(beyond)} opens more than yours, which has not")
