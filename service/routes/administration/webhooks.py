"""Webhooks: made, changed, tried and deleted by administrators of projects; their messages looked at and sent again."""

from collections.abc import Collection
from functools import partial
from typing import Any

from flask import Response
from sqlalchemy import Connection, Row
from werkzeug.exceptions import Forbidden

from gradyard import shapes
from gradyard.jobs.api_keys import Scope
from gradyard.jobs.audit import Action
from gradyard.jobs.webhooks.addresses import host_of
from gradyard.jobs.webhooks.events import OF_WORKERS
from gradyard.jobs.webhooks.requests import read_secret_rotation, read_webhook_changes, read_webhook_request
from gradyard.jobs.webhooks.signing import new_secret
from gradyard.store.webhooks import deliveries, registry
from gradyard.store.webhooks.messages import store_test
from service import audit
from service.http import parameters
from service.http.access.callers import current_caller
from service.http.ids import parse_id, whole_id
from service.http.json_response import json_response
from service.http.openapi import SECRET_ROTATION, WEBHOOK, WEBHOOK_CHANGES, problems, routes
from service.http.query_parameters.pages import LongPageQuery, refusing_wrong_cursors
from service.http.query_parameters.webhooks import DeliveryPath, DeliveryQuery, WebhookPath
from service.http.requests import JSON, MERGE_PATCH, json_body, optional_json_body
from service.http.services import current_services
from service.representation.administration import webhooks as answers

api = routes("webhooks", "/v1/webhooks", tag="webhooks")

EXAMPLE = '{"url": "https://example.org/gradyard", "events": ["job.failed"]}'


@api.post(
    "", responses={"201": shapes.NewWebhook, **problems(400, 404, 409, 413, 415, 422)}, openapi_extensions=WEBHOOK
)
def create_webhook(query: parameters.ProjectQuery) -> Response:
    """Create a webhook of the caller's project: from now on it gets a message for each of its events.

    Only this answer has the secret by which messages are signed. Events of workers are for operators.
    """
    reach, caller = current_services().settings.webhook_reach, current_caller()
    asked = read_webhook_request(json_body(EXAMPLE), reach)
    _check_reach(asked.events)
    secret = asked.secret or new_secret()
    with current_services().database.begin() as connection:
        webhook_id = registry.create_webhook(connection, caller.project_id, asked, secret, actor=caller.actor)
        made = registry.webhook_by_id(connection, caller.project_id, webhook_id)
        audit.note(connection, Action.WEBHOOK_CREATED, webhook_id, _words(made))
    return json_response(answers.new_webhook_answer(made, secret), 201)


@api.get("", responses={"200": shapes.WebhookList, **problems(404, 422)})
def list_webhooks(query: LongPageQuery) -> Response:
    """List the webhooks of the project, the oldest first, also those that are switched off."""
    project_id = current_caller().project_id
    with current_services().database.read() as connection, refusing_wrong_cursors():
        rows, cursor = registry.webhooks_of(connection, project_id, limit=query.limit, cursor=query.cursor)
    return json_response(
        shapes.WebhookList.of(webhooks=[answers.webhook_answer(row) for row in rows], next_cursor=cursor)
    )


@api.get("/<webhook_id>", responses={"200": shapes.Webhook, **problems(404, 422)})
def show_webhook(path: WebhookPath, query: parameters.ProjectQuery) -> Response:
    """Show a webhook, and how its newest messages fared."""
    with current_services().database.read() as connection:
        return json_response(answers.webhook_answer(_webhook(connection, path)))


@api.patch(
    "/<webhook_id>", responses={"200": shapes.Webhook, **problems(400, 404, 413, 415, 422)},
    openapi_extensions=WEBHOOK_CHANGES,
)  # fmt: skip
def change_webhook(path: WebhookPath, query: parameters.ProjectQuery) -> Response:
    """Change what a webhook asks for or where it is, or switch it off and on again.

    While it is off nothing new is kept for it. Messages that wait go on when it is switched on.
    """
    body = json_body('{"enabled": true}', types=(JSON, MERGE_PATCH))
    changes = read_webhook_changes(body, current_services().settings.webhook_reach)
    with current_services().database.begin() as connection:
        webhook = _own_webhook(connection, path)
        if "events" in changes:
            _check_reach(changes["events"])
        if changes:
            registry.change_webhook(connection, webhook.id, changes)
            audit.note(connection, Action.WEBHOOK_CHANGED, webhook.id, ", ".join(sorted(changes)))
        return json_response(answers.webhook_answer(_webhook(connection, path)))


@api.delete("/<webhook_id>", responses={"204": None, **problems(404, 422)})
def delete_webhook(path: WebhookPath, query: parameters.ProjectQuery) -> Response:
    """Delete a webhook with its messages. Those that wait are sent no more."""
    with current_services().database.begin() as connection:
        webhook = _own_webhook(connection, path)
        registry.delete_webhook(connection, webhook.id)
        audit.note(connection, Action.WEBHOOK_DELETED, webhook.id, _words(webhook))
    return Response(status=204)


@api.post(
    "/<webhook_id>/rotate", responses={"200": shapes.NewWebhook, **problems(400, 404, 413, 415, 422)},
    openapi_extensions=SECRET_ROTATION,
)  # fmt: skip
def rotate_webhook_secret(path: WebhookPath, query: parameters.ProjectQuery) -> Response:
    """Give a webhook a new secret. For `overlap_hours` its messages have two signatures, by the old one as well.

    Only this answer has the new secret.
    """
    asked = read_secret_rotation(optional_json_body())
    secret = asked.secret or new_secret()
    with current_services().database.begin() as connection:
        webhook = _own_webhook(connection, path)
        registry.rotate_secret(connection, webhook.id, secret, asked.overlap_hours)
        audit.note(connection, Action.WEBHOOK_ROTATED, webhook.id, f"both are valid for {asked.overlap_hours:g} hours")
        return json_response(answers.new_webhook_answer(_webhook(connection, path), secret))


@api.post("/<webhook_id>/test", responses={"202": shapes.WebhookDelivery, **problems(404, 409, 422)})
def test_webhook(path: WebhookPath, query: parameters.ProjectQuery) -> Response:
    """Send a message of the type `webhook.test` within seconds. Its id asks what became of it."""
    with current_services().database.begin() as connection:
        webhook = registry.check_is_on(_own_webhook(connection, path))
        delivery_id = store_test(connection, webhook)
        deliveries.end_pause(connection, webhook.id)
        made = registry.delivery_by_id(connection, webhook.id, delivery_id)
    return json_response(answers.delivery_answer(made), 202)


@api.get("/<webhook_id>/deliveries", responses={"200": shapes.WebhookDeliveryList, **problems(404, 422)})
def list_webhook_deliveries(path: WebhookPath, query: DeliveryQuery) -> Response:
    """List the messages of a webhook, the newest first: state, tries, the newest answer, the next try."""
    asked = query.model_dump(include={"limit", "cursor", "state"})
    with current_services().database.read() as connection, refusing_wrong_cursors():
        rows, cursor = registry.deliveries_newest_first(connection, _webhook(connection, path).id, **asked)
    shown = [answers.delivery_answer(row) for row in rows]
    return json_response(shapes.WebhookDeliveryList.of(deliveries=shown, next_cursor=cursor))


@api.get(
    "/<webhook_id>/deliveries/<delivery_id>",
    responses={"200": shapes.WebhookDeliveryWithMessage, **problems(404, 422)},
)  # fmt: skip
def show_webhook_delivery(path: DeliveryPath, query: parameters.ProjectQuery) -> Response:
    """Show a message with all that it tells, and what became of it."""
    with current_services().database.read() as connection:
        found = _delivery(connection, _webhook(connection, path), path)
    return json_response(answers.delivery_with_message(found))


@api.post(
    "/<webhook_id>/deliveries/<delivery_id>/resend",
    responses={"202": shapes.WebhookDelivery, **problems(404, 409, 422)},
)  # fmt: skip
def resend_webhook_delivery(path: DeliveryPath, query: parameters.ProjectQuery) -> Response:
    """Send a message again within seconds, unless it is being sent just now. It keeps its `webhook-id`."""
    with current_services().database.begin() as connection:
        webhook = registry.check_is_on(_own_webhook(connection, path))
        delivery = _delivery(connection, webhook, path)
        deliveries.send_again(connection, webhook.id, delivery.id)
        deliveries.end_pause(connection, webhook.id)
        audit.note(connection, Action.WEBHOOK_RESENT, webhook.id, f"{delivery.event} {delivery.id}")
        return json_response(answers.delivery_answer(_delivery(connection, webhook, path)), 202)


def _webhook(connection: Connection, path: WebhookPath) -> Row[Any]:
    """The caller's webhook of that id, or of the only id that begins like that.

    Raises NotFound where there is none, AmbiguousId where there are several.
    """
    project = current_caller().project_id
    between = partial(registry.webhooks_between, connection, project)
    webhook_id = whole_id(path.webhook_id, "webhook", between, answers.webhook_candidate)
    return registry.webhook_by_id(connection, project, webhook_id)


def _own_webhook(connection: Connection, path: WebhookPath) -> Row[Any]:
    """The webhook of that id, to change it. Raises Forbidden where it tells of workers, and the caller may not."""
    webhook = _webhook(connection, path)
    _check_reach(webhook.events)
    return webhook


def _delivery(connection: Connection, webhook: Row[Any], path: DeliveryPath) -> Row[Any]:
    return registry.delivery_by_id(connection, webhook.id, parse_id(path.delivery_id, "message"))


def _check_reach(events: Collection[str]) -> None:
    of_workers = [event for event in events if event in OF_WORKERS]
    if of_workers and not current_caller().may(Scope.OPERATOR):
        raise Forbidden(f"{', '.join(of_workers)} is of the service as a whole; it takes the scope operator")


def _words(webhook: Row[Any]) -> str:
    return f"{host_of(webhook.url)}: {', '.join(webhook.events)}"
