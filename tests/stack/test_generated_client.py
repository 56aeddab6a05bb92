"""A client that openapi-python-client makes from the document submits jobs, waits for them and reads what they left."""

import io
import re
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.service.document.test_generating import generated as generate
from tests.stack.service_processes import Service

pytestmark = [pytest.mark.stack, pytest.mark.parametrize("service", ["postgresql"], indirect=True)]

HOUSE = Path(__file__).parents[2]
REQUEST_SECONDS = 120.0  # of a request


class Generated:
    """The package that was generated: its functions by their operations, its classes, and a client of the service."""

    def __init__(self, service: Service) -> None:
        self._package = import_module("gradyard_client")
        self.models: Any = import_module("gradyard_client.models")
        self.client = self._package.Client(base_url=service.url, timeout=httpx.Timeout(REQUEST_SECONDS))

    def file(self, content: bytes) -> Any:
        """A body that is sent as it is."""
        return self._package.types.File(io.BytesIO(content))

    def asked(self, heading: str, operation: str, /, *path: str, **parameters: Any) -> Any:
        """The answer, as an object of a generated class."""
        return self._module(heading, operation).sync(*path, client=self.client, **parameters)

    def detailed(self, heading: str, operation: str, /, *path: str, **parameters: Any) -> Any:
        """The answer with its status and headers."""
        return self._module(heading, operation).sync_detailed(*path, client=self.client, **parameters)

    @staticmethod
    def _module(heading: str, operation: str) -> Any:
        return import_module(f"gradyard_client.api.{heading}.{operation}")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for the package, on the import path."""
    return tmp_path_factory.mktemp("generated")


@pytest.fixture
def generated(service: Service, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Generated]:
    """A client generated from the document of the running service, without one warning."""
    if not (folder / "client").exists():
        (folder / "openapi.json").write_bytes(httpx.get(f"{service.url}/openapi.json", timeout=REQUEST_SECONDS).content)
        run = generate(folder)
        assert run.returncode == 0, run.stdout + run.stderr
    monkeypatch.syspath_prepend(folder / "client")
    made = Generated(service)
    with made.client:
        yield made


def test_it_submits_a_job_waits_and_reads_its_losses(generated: Generated) -> None:
    models, tag = generated.models, uuid4().hex
    spec = models.OptimSpec(
        stage="optim", steps=120, seed=7, optimizer=models.Adam(name="adam", beta1=0.8), dtype=models.Dtype.FLOAT64,
        tags=models.OptimSpecTags.from_dict({"course": tag}),
    )  # fmt: skip
    job = generated.asked("jobs", "submit_job", body=spec)
    assert job.state in (models.State.QUEUED, models.State.RUNNING)
    while job.state not in (models.State.SUCCEEDED, models.State.FAILED):
        job = generated.asked("jobs", "show_job", job.id, wait=30)
    assert (job.state, job.steps_done) == (models.State.SUCCEEDED, 120)
    assert job.result.formula.startswith("y = ")
    assert job.result.coefficients["d"] != 0
    curve = generated.asked("results", "show_losses", job.id)
    assert (curve.steps, curve.losses[-1]) == ([*range(120)], job.result.loss.last)
    listed = generated.asked("jobs", "list_jobs", where=f'tags.course == "{tag}" and loss_last < 1e9')
    assert [each.id for each in listed.jobs] == [job.id]
    few = generated.asked("jobs", "list_jobs", tag=[f"course={tag}"], fields="loss_last, seed")
    assert few.jobs[0].values.to_dict() == {"loss_last": job.result.loss.last, "seed": 7}


def test_it_submits_a_sweep_and_cancels_it(generated: Generated) -> None:
    models = generated.models
    sweep = models.BatchSweep.from_dict(
        {"spec": {"stage": "tensor", "steps": 3_000_000}, "grid": {"seed": [1, 2, 3]}, "name": "three"}
    )
    accepted = generated.asked("batches", "submit_batch", body=sweep)
    assert accepted.size == 3
    batch = generated.asked("batches", "cancel_batch", accepted.id)
    assert (batch.name, batch.counts["cancelled"]) == ("three", 3)


def test_it_submits_lines(generated: Generated) -> None:
    lines = generated.file(b'{"stage":"nn","steps":20}\n{"stage":"nn","steps":20,"seed":1}\n')
    accepted = generated.asked("batches", "submit_batch", body=lines)
    assert accepted.size == 2
    generated.asked("batches", "cancel_batch", accepted.id)


def test_a_refusal_is_an_object_with_a_pointer(generated: Generated) -> None:
    models = generated.models
    answer = generated.detailed("jobs", "submit_job", body=models.NnSpec(stage="nn", steps=0))
    assert (answer.status_code, type(answer.parsed)) == (422, models.Problem)
    assert [each.pointer for each in answer.parsed.errors] == ["/steps"]
    missing = generated.asked("jobs", "show_job", str(uuid4()))
    assert (type(missing), missing.status) == (models.Problem, 404)


def test_the_same_request_sent_again_trains_nothing_twice(generated: Generated) -> None:
    spec, key = generated.models.NumpySpec(stage="numpy", steps=20), uuid4().hex
    answers = [generated.detailed("jobs", "submit_job", body=spec, idempotency_key=key) for _ in range(2)]
    assert answers[0].parsed.id == answers[1].parsed.id
    assert answers[1].headers["Idempotent-Replayed"] == "true"


def test_the_page_says_how_to_use_it(generated: Generated, service: Service, folder: Path) -> None:
    blocks = re.findall(r"```python\n(.*?)```", (HOUSE / "docs" / "http.md").read_text(), re.DOTALL)
    (block,) = [each for each in blocks if "gradyard_client" in each]
    program = block.replace("http://127.0.0.1:8000", service.url)
    run = subprocess.run(
        [sys.executable, "-c", program], cwd=folder / "client", capture_output=True, text=True, check=False
    )
    assert run.stdout.startswith("succeeded "), run.stderr
