"""The document says what the service is, and reads well for people and for generators of clients."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from flask_openapi3.openapi import OpenAPI

from service.http.document.build import document
from service.http.document.introduction import TAGS
from tests.service.conftest import AppWith

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

# An id is the name of a function in every generated client: one that goes, or is called otherwise, breaks programs.
OPERATIONS = {
    "jobs": "submit_job list_jobs show_job change_job cancel_job retry_job delete_job list_events list_logs",
    "batches": "submit_batch list_batches show_batch cancel_batch retry_batch delete_batch",
    "events": "watch_batch watch_many",
    "results": """show_losses show_losses_of_many list_metrics show_metric show_metric_of_many list_artifacts
        fetch_artifact predict show_receipt recheck_job""",
    "questions": "count_jobs summarize_jobs best_of_jobs best_of_batch act_on_jobs",
    "exports": "export_jobs export_batch",
    "files": "upload_file list_files show_file fetch_file delete_file",
    "stages": "list_stages show_stage",
    "workers": "list_workers drain_workers undrain_workers list_queues pause_queue resume_queue",
    "webhooks": """create_webhook list_webhooks show_webhook change_webhook delete_webhook rotate_webhook_secret
        test_webhook list_webhook_deliveries show_webhook_delivery resend_webhook_delivery""",
    "keys": "make_key list_keys rotate_key revoke_key",
    "storage": "show_storage show_retention set_retention unset_retention",
    "audit": "list_audit_entries",
    "health": "healthz readyz show_service_metrics",
}


@pytest.fixture
def described(app: OpenAPI) -> dict[str, Any]:
    """The document of the app."""
    return document(app)


def operations(described: dict[str, Any]) -> list[dict[str, Any]]:
    return [operation for path in described["paths"].values() for operation in path.values()]


def parts(schema: Any) -> Iterator[dict[str, Any]]:
    """Every object within a schema."""
    if isinstance(schema, dict):
        yield schema
    for each in schema.values() if isinstance(schema, dict) else schema if isinstance(schema, list) else ():
        yield from parts(each)


def test_operations_keep_their_ids(described: dict[str, Any]) -> None:
    listed = {tag: sorted(names.split()) for tag, names in OPERATIONS.items()}
    found: dict[str, list[str]] = {}
    for operation in operations(described):
        (tag,) = operation["tags"]
        found.setdefault(tag, []).append(operation["operationId"])
    assert {tag: sorted(names) for tag, names in found.items()} == listed


def test_every_kind_of_operation_is_explained_in_an_order_for_readers(described: dict[str, Any]) -> None:
    assert [each["name"] for each in described["tags"]] == [name for name in TAGS if name in OPERATIONS]
    assert all(each["description"] for each in described["tags"])


def test_every_operation_and_parameter_is_described(described: dict[str, Any]) -> None:
    for operation in operations(described):
        assert operation["summary"]
        assert operation["description"].rstrip().endswith(("needs no key.", "`."))
        for parameter in operation.get("parameters", []):
            assert parameter["description"], (operation["operationId"], parameter["name"])


def test_every_refusal_is_a_problem(described: dict[str, Any]) -> None:
    for operation in operations(described):
        refused = {status: answer for status, answer in operation["responses"].items() if status >= "400"}
        if operation["operationId"] == "readyz":
            del refused["503"]  # it says what is amiss in the words of the route
        for status, answer in refused.items():
            assert list(answer["content"]) == ["application/problem+json"], (operation["operationId"], status)


def test_what_may_be_sent_again_says_so(described: dict[str, Any]) -> None:
    taking = {
        operation["operationId"]
        for operation in operations(described)
        if any(each["name"] == "Idempotency-Key" for each in operation.get("parameters", []))
    }
    assert taking == {"submit_job", "submit_batch", "retry_job", "retry_batch", "recheck_job", "act_on_jobs"}
    assert "x-repeatable" not in json.dumps(described)


def test_the_introduction_has_the_limits_of_this_service(app_with: AppWith) -> None:
    info = document(app_with(max_batch_jobs=77, max_batch_bytes=5 * 2**20))["info"]
    assert "up to 77 jobs" in info["description"]
    assert "a batch 5 MiB" in info["description"]
    for topic in ("Authorization: Bearer", "Idempotency-Key", "next_cursor", "Retry-After", "problem+json"):
        assert topic in info["description"]
    assert info["summary"].startswith("A batch service for training jobs")


def test_schemas_have_readable_names_and_descriptions(described: dict[str, Any]) -> None:
    for name, schema in described["components"]["schemas"].items():
        assert re.fullmatch(r"[A-Z][A-Za-z]+", name)
        assert schema["title"] == name
        assert schema["description"]
        assert "gradyard." not in schema["description"]


def test_defaults_are_scalars_or_words(described: dict[str, Any]) -> None:
    for part in parts(described):
        if isinstance(part.get("type"), str) or {"oneOf", "anyOf"} & set(part):
            assert not isinstance(part.get("default"), dict | list), part
    dataset = described["components"]["schemas"]["NnSpec"]["properties"]["dataset"]
    assert 'Without it: `{"kind":"function","function":"sin"' in dataset["description"]


def test_answers_have_no_defaults(described: dict[str, Any]) -> None:
    assert "default" not in described["components"]["schemas"]["Job"]["properties"]["steps"]
    assert described["components"]["schemas"]["OptimSpec"]["properties"]["steps"]["default"] == 2000


def test_every_field_of_a_spec_is_explained(described: dict[str, Any]) -> None:
    specs = [schema for name, schema in described["components"]["schemas"].items() if name.endswith("Spec")]
    fields = [(spec["title"], name, field) for spec in specs for name, field in spec.get("properties", {}).items()]
    assert len(fields) > 100
    assert [each[:2] for each in fields if each[1] != "stage" and "description" not in each[2]] == []


def test_every_reference_leads_somewhere(described: dict[str, Any]) -> None:
    refs = {part["$ref"] for part in parts(described) if "$ref" in part}
    assert {ref.removeprefix("#/components/schemas/") for ref in refs} <= set(described["components"]["schemas"])
