"""A program that uses every method of the Client. Type checkers read it; nothing runs it."""

from collections.abc import Generator
from pathlib import Path
from typing import assert_type

import gradyard
from gradyard import Batch, BatchChecked, Client, Job, JobChecked


def jobs_of(client: Client) -> None:
    job = client.submit({"stage": "nn"}, steps=5)
    assert_type(job, Job)
    assert_type(client.submit(stage="nn", idempotency_key="k", depends_on=[job, "id"]), Job)
    assert_type(client.job(job), Job)
    assert_type(client.wait(job, timeout=5, on_progress=print), Job)
    assert_type(client.cancel(job.id), Job)
    assert_type(client.retry(job, set={"steps": 6}), Job)
    assert_type(client.recheck(job), Job)
    assert_type(client.receipt(job), gradyard.Receipt)
    assert_type(client.update(job, name=None, tags={"a": None}), Job)
    assert_type(client.delete(job), None)
    assert_type(client.logs(job), list[gradyard.AttemptLog])
    assert_type(client.events(job), list[gradyard.Event])
    assert_type(client.losses(job, start=-100).size, int)
    steps, losses = client.loss_curve(job)
    assert_type((steps.size, losses.size), tuple[int, int])
    steps, losses = client.loss_points(job, 100)
    steps, losses = client.losses_of([job, "id"])[job.id]
    steps, values = client.metric(job, "accuracy")
    steps, values = client.metric_of([job], "accuracy")[job.id]
    assert_type((steps.size, losses.size, values.size), tuple[int, int, int])
    assert_type(client.metrics(job), list[str])
    assert_type(client.predict(job, [0.5]).size, int)
    assert_type(client.artifacts(job), list[gradyard.Artifact])
    assert_type(client.artifact(job, "weights").size, int)
    assert_type(client.jobs(where="loss_min < 9", batch="b", tags=["a=b"]), Generator[Job, None, None])
    assert_type(client.jobs.values("loss_min"), Generator[gradyard.JobValues, None, None])
    assert_type(client.jobs.cancel(job), Job)
    assert_type(client.jobs.get("id"), Job)


def questions_of(client: Client) -> None:
    assert_type(client.count("seed == 1"), int)
    assert_type(client.summary(group="stage", of=["loss_min"]), gradyard.JobGroups)
    assert_type(client.act("tag", "seed == 1", tags={"a": "b"}), gradyard.ActionDone)
    assert_type(client.best(limit=3, metric="loss", mode="min"), list[Job])
    assert_type(client.best_jobs(where="seed == 1"), gradyard.BestJobs)
    assert_type(client.export(path="jobs.csv", form="csv"), Path)
    assert_type(client.export_lines(csv=True), Generator[str, None, None])
    for job, losses in client.export_jobs("b"):
        assert_type((job, losses.size), tuple[Job, int])
    client.frame(kind="polars")


def batches_of(client: Client) -> None:
    batch = client.sweep(stage="nn", grid={"seed": range(3)}, random={"learning_rate": {"low": 0.1, "high": 1}})
    assert_type(batch, Batch)
    assert_type(client.submit_batch([{"stage": "nn"}], name="n"), Batch)
    assert_type(client.check_sweep(stage="nn", grid={"seed": range(3)}), BatchChecked)
    assert_type(client.check(stage="nn", depends_on=batch), JobChecked)
    assert_type(client.batch(batch), Batch)
    assert_type(client.wait_batch(batch, timeout=5, on_progress=print), Batch)
    assert_type(client.cancel_batch(batch), Batch)
    assert_type(client.retry_batch(batch, states=["failed"]), gradyard.BatchRetried)
    assert_type(client.delete_batch(batch), gradyard.BatchDeleted)
    assert_type(client.batches(limit=5), Generator[gradyard.BatchSummary, None, None])
    assert_type(client.batches.best(batch), list[Job])


def service_of(client: Client) -> None:
    assert_type(client.stages(), list[gradyard.Stage])
    assert_type(client.refused_stages(), list[gradyard.RefusedPlugin])
    assert_type(client.stage("nn"), gradyard.StageWithSchema)
    assert_type(client.workers(), list[gradyard.Worker])
    assert_type(client.drain("host", reason="dust"), list[gradyard.Worker])
    assert_type(client.undrain("host"), list[gradyard.Worker])
    assert_type(client.queues(), list[gradyard.Queue])
    assert_type(client.pause("cpu"), gradyard.Queue)
    assert_type(client.resume("cpu"), gradyard.Queue)
    assert_type(client.readiness(), gradyard.Readiness)
    assert_type(client.keys(), list[gradyard.ApiKey])
    assert_type(client.make_key("ada", scopes=["jobs:read"]), gradyard.NewApiKey)
    assert_type(client.rotate_key("k"), gradyard.NewApiKey)
    assert_type(client.revoke_key("k"), None)
    assert_type(client.storage(), gradyard.Storage)
    assert_type(client.retention(), gradyard.RetentionRule)
    assert_type(client.set_retention(days=3), gradyard.RetentionRule)
    assert_type(client.unset_retention(), gradyard.RetentionRule)
    file = client.upload(b"x,y\n1,2\n", name="two.csv")
    assert_type(file, gradyard.File)
    assert_type(client.file(file), gradyard.File)
    assert_type(client.file_content(file), bytes)
    assert_type(client.delete_file(file), None)
    assert_type(client.audit(limit=3), Generator[gradyard.AuditEntry, None, None])
    assert_type(client.close(), None)


def live_of(client: Client) -> None:
    for told in client.watch("id", points="all"):
        if isinstance(told, gradyard.CurvePart):
            assert_type(told.from_step, int)
    assert_type(next(client.watch_jobs(["id"])), gradyard.Move | gradyard.CurvePart | gradyard.Progress | Job)
    for seen in client.watch_batch("b"):
        assert_type(seen, gradyard.Move | gradyard.BatchNow | Batch)


def webhooks_of(client: Client) -> None:
    made = client.create_webhook("https://there/hook", ["job.succeeded"])
    assert_type(made, gradyard.NewWebhook)
    assert_type(client.webhook(made), gradyard.Webhook)
    assert_type(client.update_webhook(made, enabled=False), gradyard.Webhook)
    assert_type(client.rotate_webhook_secret(made), gradyard.NewWebhook)
    assert_type(client.test_webhook(made), gradyard.WebhookDelivery)
    assert_type(client.webhook_deliveries(made), Generator[gradyard.WebhookDelivery, None, None])
    assert_type(client.webhook_delivery(made, "d"), gradyard.WebhookDeliveryWithMessage)
    assert_type(client.resend_webhook_delivery(made, "d"), gradyard.WebhookDelivery)
    assert_type(client.delete_webhook(made), None)
