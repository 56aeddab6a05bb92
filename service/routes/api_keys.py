"""Keys of the API, for the administrator: made, listed, revoked."""

from flask import Response

from gradyard import shapes
from gradyard.jobs.api_keys import new_secret
from gradyard.jobs.submission.key_requests import read_key_request
from gradyard.store import lifecycle, queries
from service.http import parameters
from service.http.callers import current_caller
from service.http.ids import parse_id
from service.http.json_response import json_response
from service.http.openapi import KEY_REQUEST, problems, routes
from service.http.requests import json_body
from service.http.services import current_services
from service.representation.api_keys import key_answer, new_key_answer

api = routes("api_keys", "/v1/keys", tag="keys")


@api.post("", responses={"201": shapes.NewApiKey, **problems(400, 409, 413, 415, 422)}, openapi_extensions=KEY_REQUEST)
def make_key(query: parameters.NoQuery) -> Response:
    """Make a key, and its project where there is none of that name.

    Only this answer has the key; the service does not store it. Two keys of one name may be live at a time, so that
    one can replace the other.
    """
    asked, secret = read_key_request(json_body('{"name": "ada"}')), new_secret()
    with current_services().database.begin() as connection:
        key_id = lifecycle.make_key(connection, asked, secret, actor=current_caller().actor)
        made = queries.key_by_id(connection, key_id)
    return json_response(new_key_answer(made, secret), 201)


@api.get("", responses={"200": shapes.ApiKeyList, **problems(422)})
def list_keys(query: parameters.NoQuery) -> Response:
    """List the keys of all projects, the newest first, also those that are revoked or expired."""
    with current_services().database.read() as connection:
        keys = [key_answer(row) for row in queries.keys_newest_first(connection)]
    return json_response(shapes.ApiKeyList.of(keys=keys))


@api.delete("/<key_id>", responses={"204": None, **problems(404, 422)})
def revoke_key(path: parameters.KeyPath, query: parameters.NoQuery) -> Response:
    """Revoke a key: it stops working within seconds. A second call changes nothing."""
    key_id = parse_id(path.key_id, "key")
    with current_services().database.begin() as connection:
        lifecycle.revoke_key(connection, key_id)
    return Response(status=204)
