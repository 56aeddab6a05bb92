"""Batches and sweeps through a running service: the client, the command line, packs."""

import json
import re
import signal
import subprocess
import sys

import numpy as np
import pytest

from gradyard import Client
from tests.stack.service_processes import Service

pytestmark = pytest.mark.stack


def test_a_sweep_trains_in_packs_and_each_member_has_the_bits_of_a_job_alone(client: Client) -> None:
    batch = client.sweep(
        {"stage": "tensor", "steps": 300}, grid={"learning_rate": [1e-7, 1e-6], "seed": range(20)}, name="forty"
    )
    seen: list[int] = []
    batch = client.wait_batch(batch, on_progress=lambda now: seen.append(now.counts["succeeded"]))
    assert (batch.state, batch.counts["succeeded"], batch.name) == ("finished", 40, "forty")
    assert seen == sorted(seen)
    jobs = list(client.jobs(batch=batch.id))
    assert len(jobs) == 40
    assert max(job.timings["pack_size"] for job in jobs) > 1
    best = client.best(batch.id, limit=5)
    assert [job.loss["last"] for job in best] == sorted(job.loss["last"] for job in jobs)[:5]
    alone = client.wait(client.submit(best[0].spec).id, timeout=300)
    assert np.array_equal(client.losses(alone.id), client.losses(best[0].id))


def test_a_batch_is_exported_with_every_loss_of_every_job(service: Service, client: Client) -> None:
    batch = client.sweep({"stage": "numpy", "steps": 40, "dataset": {"points": 50}}, grid={"seed": range(5)})
    client.wait_batch(batch.id)
    exported = list(client.export_jobs(batch))
    assert [job.id for job, _ in exported] == sorted(job.id for job in client.jobs(batch=batch.id))
    for job, losses in exported:
        assert job.succeeded
        assert losses.tobytes() == client.losses(job.id).tobytes()
    command = [sys.executable, "-m", "gradyard", "export", batch.id, "--csv", "--url", service.url]
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    first, losses = exported[0]
    assert lines[:2] == ["job,step,loss", f"{first.id},0,{losses[0]}"]
    assert len(lines) == 1 + 5 * 40


def test_a_batch_is_cancelled_while_it_trains(client: Client) -> None:
    batch = client.submit_batch([{"stage": "autograd", "steps": 200_000 + number % 2} for number in range(12)])
    assert client.batch(batch.id).counts["queued"] + client.batch(batch.id).counts["running"] > 0
    batch = client.cancel_batch(batch.id)
    assert (batch.state, batch.counts["cancelled"]) == ("finished", 12)


def test_the_command_sweeps_and_shows_the_best(service: Service) -> None:
    command = [sys.executable, "-m", "gradyard", "sweep", "--stage", "optim", "--set", "steps=100"]
    command += ["--url", service.url]
    axes = ["--grid", "optimizer.alpha=0.9,0.99", "--grid", "seed=0:5", "--best", "3"]
    shown = subprocess.run([*command, *axes], capture_output=True, text=True, check=False)
    assert shown.returncode == 0, shown.stderr
    lines = shown.stdout.splitlines()
    assert len([line for line in lines if line.strip().startswith("0")]) == 3
    assert "optimizer.alpha" in shown.stdout
    answer = json.loads(subprocess.run([*command, *axes, "--json"], capture_output=True, text=True, check=True).stdout)
    assert (answer["batch"]["counts"]["succeeded"], len(answer["best"])) == (10, 3)
    drawn = [*command, "--random", "learning_rate=1e-4:1e-2:log", "--samples", "7", "--json"]
    answer = json.loads(subprocess.run(drawn, capture_output=True, text=True, check=True).stdout)
    assert (answer["batch"]["size"], len({job["spec"]["learning_rate"] for job in answer["best"]})) == (7, 7)
    wrong = subprocess.run([*command, "--grid", "degree=3,99"], capture_output=True, text=True, check=False)
    assert (wrong.returncode, wrong.stdout) == (2, "")
    assert "/grid/degree/1" in wrong.stderr


def test_a_batch_with_failures_is_shown_retried_watched_and_deleted(service: Service, client: Client) -> None:
    def gradyard(*words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "gradyard", "--url", service.url, *words]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    axes = ["--set", "steps=100", "--grid", "learning_rate=1e-6,1e-5", "--grid", "seed=0:3"]
    swept = gradyard("sweep", "--stage", "tensor", *axes, "--json")
    batch_id = json.loads(swept.stdout)["batch"]["id"]
    assert swept.returncode == 1
    shown = gradyard("batches", "show", batch_id)
    assert "3 succeeded, 3 failed" in shown.stdout
    assert "3 diverged: such as " in shown.stdout
    failed = gradyard("jobs", "--batch", batch_id, "--state", "failed", "--ids").stdout.split()
    assert len(failed) == 3
    assert gradyard("batches", "retry", batch_id[:23]).stdout == f"{batch_id} 3 of 6 jobs submitted anew\n"
    watched = gradyard("batches", "watch", batch_id)
    assert (watched.returncode, "3 succeeded, 3 failed" in watched.stderr) == (1, True)
    assert client.job(failed[0]).replaced_by is not None
    assert gradyard("cancel", *failed).stdout == "".join(f"{job_id} failed already\n" for job_id in failed)
    assert "`gradyard batches show" in gradyard("show", batch_id).stderr
    assert gradyard("batches", "delete", batch_id).stdout == f"{batch_id} deleted with 9 jobs\n"
    assert gradyard("batches", "delete", batch_id).stdout == f"{batch_id} was deleted already\n"


def test_a_sweep_goes_on_after_ctrl_c_and_the_named_commands_work(service: Service, client: Client) -> None:
    words = ["sweep", "--stage", "dynamic", "--set", "steps=200000", "--grid", "seed=0:2"]
    command = [sys.executable, "-m", "gradyard", "--url", service.url]
    process = subprocess.Popen([*command, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    batch_id = process.stderr.readline().removeprefix("batch ").partition(":")[0]
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert (process.returncode, "Traceback" in said) == (130, False)
    stop = re.search(r"`\S+ (batches cancel \S+)` stops it", said)
    assert stop is not None, said
    assert not client.batch(batch_id).finished
    stopped = subprocess.run([*command, *stop.group(1).split()], capture_output=True, text=True, check=False)
    assert (stopped.returncode, "2 cancelled" in stopped.stdout) == (0, True)
