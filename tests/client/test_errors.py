"""What the Client raises says what is not there, and never a password."""

import time

import pytest

from gradyard import Client, JobNotFound, RefusedByService, Unreachable
from gradyard.client.errors import AnswerNotUnderstood, shown_address
from tests.client.service_for_tests import JOB_ID, Said, answering, problem

ADDRESS = "http://ada:secret@127.0.0.1:9/x"


@pytest.mark.parametrize(
    ("detail", "kind"),
    [("the job has no artifact 'weights'", RefusedByService), (f"there is no job {JOB_ID}", JobNotFound)],
)
def test_an_artifact_that_is_not_there_is_no_missing_job(detail: str, kind: type[Exception]) -> None:
    with answering(problem(404, "Not Found", detail)) as service, Client(service.url) as client:
        with pytest.raises(RefusedByService) as caught:
            client.artifact(JOB_ID, "weights")
    assert type(caught.value) is kind


@pytest.mark.parametrize("error", [Unreachable, AnswerNotUnderstood])
def test_no_error_shows_the_password_of_an_address(error: type[Unreachable] | type[AnswerNotUnderstood]) -> None:
    raised = error(ADDRESS, "connection refused")
    assert "http://127.0.0.1:9/x" in str(raised)
    assert "secret" not in f"{raised!r} {raised} {raised.url} {raised.args}"


@pytest.mark.parametrize("address", ["127.0.0.1:8000", "http://host/a@b", "https://[::1]:8000/?x=@", "a@b"])
def test_an_address_without_a_password_is_shown_as_it_is(address: str) -> None:
    assert shown_address(address) == address


def test_a_wait_does_not_outlast_its_timeout_where_the_service_is_away() -> None:
    with answering(Said(503)) as service, Client(service.url, retry_seconds=60.0) as client:
        began = time.monotonic()
        for wait in (client.wait, client.wait_batch):
            with pytest.raises(RefusedByService):
                wait(JOB_ID, timeout=0.5)
        assert time.monotonic() - began < 30


def test_a_webhook_whose_deletion_lost_its_answer_is_deleted() -> None:
    with answering(Said(hang_up=True), problem(404, "Not Found")) as service, Client(service.url) as client:
        client.delete_webhook(JOB_ID)
    assert [each.method for each in service.asked] == ["DELETE", "DELETE"]
