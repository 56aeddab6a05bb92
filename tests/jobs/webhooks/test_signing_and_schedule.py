"""Secrets and signatures as Standard Webhooks has them, and when messages are sent again."""

import base64
from datetime import UTC, datetime

import pytest
from standardwebhooks.webhooks import Webhook as Verifier

from gradyard.jobs.webhooks.schedule import MOST_TRIES, RETRY_SECONDS, pause_seconds, retry_seconds
from gradyard.jobs.webhooks.signing import new_secret, signed_headers, what_is_wrong


def test_the_signature_is_that_of_the_reference_library() -> None:
    secret, at, body = new_secret(), 1_674_087_231, '{"test": "grün"}'
    theirs = Verifier(secret).sign("msg_1", datetime.fromtimestamp(at, UTC), body)
    assert signed_headers("msg_1", at, body.encode(), [secret]) == {
        "webhook-id": "msg_1", "webhook-timestamp": str(at), "webhook-signature": theirs,
    }  # fmt: skip


def test_new_secrets_are_valid_and_no_two_are_alike() -> None:
    made = {new_secret() for _ in range(100)}
    assert len(made) == 100
    assert {what_is_wrong(secret) for secret in made} == {None}


@pytest.mark.parametrize(("length", "is_one"), [(23, False), (24, True), (64, True), (65, False)])
def test_a_secret_has_24_to_64_bytes(length: int, is_one: bool) -> None:
    assert (what_is_wrong("whsec_" + base64.b64encode(bytes(length)).decode()) is None) is is_one


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_not base64!", base64.b64encode(bytes(32)).decode()])
def test_other_texts_are_no_secrets(secret: str) -> None:
    assert what_is_wrong(secret)


def test_ten_tries_take_three_days() -> None:
    pauses = [retry_seconds(tries) for tries in range(1, MOST_TRIES + 1)]
    assert (len(pauses), pauses[-1]) == (10, None)
    assert 3 * 86_400 < sum(RETRY_SECONDS) < 3.3 * 86_400
    for pause, least in zip(pauses[:-1], RETRY_SECONDS, strict=True):
        assert pause is not None
        assert least <= pause <= 1.1 * least


def test_a_webhook_that_fails_gets_fewer_messages() -> None:
    assert [pause_seconds(failures) for failures in (1, 2, 3, 6, 7, 10_000)] == [1, 2, 4, 32, 60, 60]
