"""The example plug-in, installed by pip, works in a running service, next to a plug-in that cannot be imported."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from gradyard import Client
from gradyard.client.errors import RefusedByService
from tests.stack.conftest import EXAMPLE
from tests.stack.service_processes import Service

pytestmark = pytest.mark.stack

DATA = {"kind": "inline", "x": np.linspace(-1, 1, 40).tolist(), "y": np.sin(3 * np.linspace(-1, 1, 40)).tolist()}


def test_a_plugin_trains_in_packs_and_leaves_metrics_and_arrays(client: Client) -> None:
    spec = {"stage": "mlp", "hidden": 6, "steps": 3000, "dataset": DATA, "measure_every": 7}
    batch = client.wait_batch(client.sweep(spec, grid={"learning_rate": [0.01, 0.02], "seed": range(10)}).id)
    assert batch.counts["succeeded"] == 20
    best, worst = client.best(batch.id, limit=20)[::19]
    assert best.timings["pack_size"] > 1
    assert (best.coefficients, best.formula) == (None, None)
    losses, (steps, held_out) = client.losses(best.id), client.metric(best.id, "held_out_loss")
    assert losses[-1] < losses[0] / 10
    assert client.metrics(best.id) == ["held_out_loss"]
    assert steps.tolist() == [*range(0, 3000, 7), 3000]
    figures = best.metrics["held_out_loss"]
    assert (figures["last"], figures["last_step"]) == (held_out[-1], 3000)
    assert held_out[-1] <= client.metric(worst.id, "held_out_loss")[1][-1]  # the stage says what is best
    assert held_out.shape == steps.shape
    assert held_out[-1] < held_out[0]
    shapes = {each.name: each.shape for each in client.artifacts(best.id)}
    assert shapes == {"hidden.bias": (6,), "hidden.weight": (6,), "output.bias": (1,), "output.weight": (6,)}
    assert client.artifact(best.id, "hidden.weight").tobytes() != client.artifact(worst.id, "hidden.weight").tobytes()
    alone = client.wait(client.submit(best.spec).id)
    assert alone.timings["pack_size"] == 1
    assert client.losses(alone.id).tobytes() == losses.tobytes()
    assert client.metric(alone.id, "held_out_loss")[1].tobytes() == held_out.tobytes()
    for name in shapes:
        assert client.artifact(alone.id, name).tobytes() == client.artifact(best.id, name).tobytes()


def test_the_stored_weights_reproduce_the_last_loss(client: Client) -> None:
    job = client.wait(client.submit(stage="mlp", hidden=5, steps=300, dataset=DATA, dtype="float64").id)
    names = ("hidden.weight", "hidden.bias", "output.weight", "output.bias")
    into, shift, out, constant = (client.artifact(job.id, name) for name in names)
    x, y = (np.array(DATA[name]) for name in "xy")
    error = np.tanh(np.outer(x, into) + shift) @ out + constant - y
    trained = np.arange(len(x)) % 5 != 4
    assert np.mean(error[trained] ** 2) == pytest.approx(client.losses(job.id)[-1], rel=0.05)


def test_a_spec_of_a_plugin_is_checked_and_shown_like_any_other(client: Client) -> None:
    with pytest.raises(RefusedByService, match="/hidden"):
        client.submit(stage="mlp", hidden=0)
    with pytest.raises(RefusedByService, match="/execution"):
        client.submit(stage="mlp", execution="gram")
    assert client.stage("mlp").defaults["hidden"] == 8


def test_a_plugin_that_cannot_be_imported_is_refused_and_logged(service: Service, client: Client) -> None:
    assert [(each.name, each.package) for each in client.refused_stages()] == [("run", "broken-runs")]
    with pytest.raises(RefusedByService, match="/stage"):
        client.submit(stage="run")
    assert "no licence" in (service.folder / "api.log").read_text()
    assert "no licence" in (service.folder / "pool.log").read_text()


def test_the_command_shows_metrics_and_artifacts_of_a_plugin(client: Client, tmp_path: Path) -> None:
    job = client.wait(client.submit(stage="mlp", steps=50, dataset=DATA).id)

    def gradyard(*words: str) -> "subprocess.CompletedProcess[str]":
        command = [sys.executable, "-m", "gradyard", *words, "--url", client.url]
        return subprocess.run(command, capture_output=True, text=True, check=True)

    assert gradyard("metrics", job.id).stdout == "held_out_loss\n"
    gradyard("artifacts", job.id, "hidden.weight", "--npy", f"{tmp_path / 'weight.npy'}")
    assert np.load(tmp_path / "weight.npy").shape == (8,)
    assert "hidden.bias" in gradyard("artifacts", job.id).stdout
    shown = gradyard("stages")
    assert "mlp" in shown.stdout
    assert "not offered: run of broken-runs: run_of_a_licence:STAGE cannot be imported" in shown.stderr
    assert "mlp" in gradyard("show", job.id).stdout


def test_its_author_runs_the_conformance_suite(site: Path, tmp_path: Path) -> None:
    tests = tmp_path / "test_mlp.py"
    tests.write_text((EXAMPLE / "tests" / "test_mlp.py").read_text())
    shown = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", "/dev/null", f"{tests}"],
        env={"PYTHONPATH": f"{site}:{EXAMPLE.parents[1]}"}, cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert shown.returncode == 0, shown.stdout
    assert " passed" in shown.stdout
