"""Without a service each command says so at once; one that was reached is waited for."""

import pytest

from gradyard.client.http.transport import Transport
from tests.cli.command_for_tests import Run
from tests.client.service_for_tests import Said, answering, job, stream


@pytest.mark.parametrize(
    "words",
    [("watch", "x"), ("jobs",), ("submit", "--stage", "nn", "--wait"), ("sweep", "--stage", "nn", "--grid", "seed=0:2"),
     ("batches", "watch", "x"), ("status",)],
)  # fmt: skip
def test_nothing_up_is_said_at_once(run: Run, words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    async def pause(_: Transport, seconds: float) -> None:
        raise AssertionError(f"it waits for {seconds} s")

    monkeypatch.setattr(Transport, "pause", pause)
    ended = run(*words, "--url", "http://127.0.0.1:9")
    assert (ended.status, ended.err.count("\n")) == (3, 1)
    assert "`gradyard up` starts a service" in ended.err


def test_a_watch_that_has_reached_its_service_waits_through_a_restart(run: Run) -> None:
    hang_up = Said(hang_up=True)
    with answering(Said(200, job(state="running")), *[hang_up] * 6, stream(ended=job(state="succeeded"))) as service:
        ended = run("watch", "x", "--url", service.url)
    assert ended.status == 0
    assert len(service.asked) == 8
