"""Several jobs are followed over one stream; where there is none, each is asked for."""

import io
from typing import Any

import pytest
from rich.console import Console

from gradyard.cli.live.follow_jobs import follow_jobs
from gradyard.client.client import Client
from gradyard.shapes import Job
from tests.cli.live.test_watch import AT
from tests.client.service_for_tests import Asked, FakeService, Said, job, problem, stream

IDS = "first", "second"


def followed(service: FakeService, **how: Any) -> tuple[list[Job], str]:
    """The jobs at their end, and the lines that were printed meanwhile."""
    jobs, console = [Job.model_validate(job(id=each)) for each in IDS], Console(file=io.StringIO(), width=100)
    with service.running(), Client(service.url) as client:
        follow_jobs(client, jobs, console, **how)
    assert isinstance(console.file, io.StringIO)
    return jobs, console.file.getvalue()


def running(job_id: str) -> dict[str, Any]:
    return {"job": job_id, "sequence": 2, "from": "queued", "to": "running", "at": AT, "attempt": 1}


def test_one_stream_tells_of_all_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gradyard.cli.live.follow_jobs.LONGEST_LOOK_SECONDS", 600.0)
    told = stream(move=[running(each) for each in IDS], ended=[job(id=each, state="succeeded") for each in IDS])
    service = FakeService(lambda _: told)
    jobs, lines = followed(service)
    assert all(each.succeeded for each in jobs)
    assert [line.split()[1] for line in lines.splitlines()] == ["queued"] * 2 + ["running"] * 2 + ["succeeded"] * 2
    (asked,) = service.asked
    assert asked.path == "/v1/events"
    assert asked.params["job"] in IDS


@pytest.mark.parametrize("refused", [problem(503, "too many streams"), Said(200, {"events": []})])
def test_without_a_stream_each_is_asked_for(refused: Said) -> None:
    def respond(asked: Asked) -> Said:
        if asked.path == "/v1/events":
            return refused
        return Said(200, job(id=asked.path.rsplit("/", 1)[-1], state="succeeded"))

    jobs, _ = followed(FakeService(respond))
    assert [each.id for each in jobs if each.succeeded] == list(IDS)


def test_what_is_called_in_between_may_end_it() -> None:
    def stop() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        followed(FakeService(lambda _: stream(move=[running("first")])), between_looks=stop)
