"""A program that uses every method of the AsyncClient. Type checkers read it; nothing runs it."""

from collections.abc import AsyncGenerator
from pathlib import Path
from typing import assert_type

import gradyard
from gradyard import AsyncClient, Batch, BatchChecked, Job, JobChecked


async def awaited_jobs(client: AsyncClient) -> None:
    job = await client.submit({"stage": "nn"}, steps=5)
    assert_type(job, Job)
    assert_type(await client.submit(stage="nn", depends_on=job), Job)
    assert_type(await client.job(job), Job)
    assert_type(await client.wait(job, timeout=5, on_progress=print), Job)
    assert_type(await client.cancel(job.id), Job)
    assert_type(await client.retry(job, set={"steps": 6}), Job)
    assert_type(await client.recheck(job), Job)
    assert_type(await client.receipt(job), gradyard.Receipt)
    assert_type(await client.update(job, name=None), Job)
    assert_type(await client.delete(job), None)
    assert_type(await client.logs(job), list[gradyard.AttemptLog])
    assert_type(await client.events(job), list[gradyard.Event])
    assert_type((await client.losses(job)).size, int)
    steps, losses = await client.loss_curve(job)
    steps, losses = await client.loss_points(job, 100)
    steps, losses = (await client.losses_of([job]))[job.id]
    steps, values = await client.metric(job, "accuracy")
    steps, values = (await client.metric_of([job], "accuracy"))[job.id]
    assert_type((steps.size, losses.size, values.size), tuple[int, int, int])
    assert_type(await client.metrics(job), list[str])
    assert_type((await client.predict(job, [0.5])).size, int)
    assert_type(await client.artifacts(job), list[gradyard.Artifact])
    assert_type((await client.artifact(job, "weights")).size, int)
    assert_type(client.jobs(where="loss_min < 9"), AsyncGenerator[Job, None])
    assert_type(client.jobs.values("loss_min"), AsyncGenerator[gradyard.JobValues, None])
    assert_type(await client.jobs.cancel(job), Job)


async def awaited_questions(client: AsyncClient) -> None:
    assert_type(await client.count("seed == 1"), int)
    assert_type(await client.summary(group="stage"), gradyard.JobGroups)
    assert_type(await client.act("retry", "seed == 1"), gradyard.ActionDone)
    assert_type(await client.best(limit=3), list[Job])
    assert_type(await client.best_jobs(where="seed == 1"), gradyard.BestJobs)
    assert_type(await client.export(path="jobs.csv"), Path)
    assert_type(client.export_lines(), AsyncGenerator[str, None])
    async for job, losses in client.export_jobs("b"):
        assert_type((job, losses.size), tuple[Job, int])
    await client.frame(kind="pandas")


async def awaited_batches(client: AsyncClient) -> None:
    batch = await client.sweep(stage="nn", grid={"seed": range(3)})
    assert_type(batch, Batch)
    assert_type(await client.submit_batch([{"stage": "nn"}]), Batch)
    assert_type(await client.batches.check_sweep(stage="nn", grid={"seed": range(3)}), BatchChecked)
    assert_type(await client.jobs.check(stage="nn", depends_on=batch), JobChecked)
    assert_type(await client.check_sweep(stage="nn", grid={"seed": range(3)}), BatchChecked)
    assert_type(await client.check(stage="nn"), JobChecked)
    assert_type(await client.batch(batch), Batch)
    assert_type(await client.wait_batch(batch, timeout=5), Batch)
    assert_type(await client.cancel_batch(batch), Batch)
    assert_type(await client.retry_batch(batch), gradyard.BatchRetried)
    assert_type(await client.delete_batch(batch), gradyard.BatchDeleted)
    async for summary in client.batches(limit=5):
        assert_type(summary, gradyard.BatchSummary)
    assert_type(await client.batches.best(batch), list[Job])


async def awaited_service(client: AsyncClient) -> None:
    assert_type(await client.stages(), list[gradyard.Stage])
    assert_type(await client.refused_stages(), list[gradyard.RefusedPlugin])
    assert_type(await client.stage("nn"), gradyard.StageWithSchema)
    assert_type(await client.workers(), list[gradyard.Worker])
    assert_type(await client.drain("host"), list[gradyard.Worker])
    assert_type(await client.undrain("host"), list[gradyard.Worker])
    assert_type(await client.queues(), list[gradyard.Queue])
    assert_type(await client.pause("cpu"), gradyard.Queue)
    assert_type(await client.resume("cpu"), gradyard.Queue)
    assert_type(await client.readiness(), gradyard.Readiness)
    assert_type(await client.keys(), list[gradyard.ApiKey])
    assert_type(await client.make_key("ada"), gradyard.NewApiKey)
    assert_type(await client.rotate_key("k"), gradyard.NewApiKey)
    assert_type(await client.revoke_key("k"), None)
    assert_type(await client.storage(), gradyard.Storage)
    assert_type(await client.retention(), gradyard.RetentionRule)
    assert_type(await client.set_retention(days=3), gradyard.RetentionRule)
    assert_type(await client.unset_retention(), gradyard.RetentionRule)
    file = await client.upload(b"x,y\n1,2\n", name="two.csv")
    assert_type(file, gradyard.File)
    assert_type(await client.file(file), gradyard.File)
    assert_type(await client.file_content(file), bytes)
    assert_type(await client.delete_file(file), None)
    async for entry in client.audit(limit=3):
        assert_type(entry, gradyard.AuditEntry)
    assert_type(await client.close(), None)


async def awaited_live(client: AsyncClient) -> None:
    async for told in client.watch("id", points="all"):
        if isinstance(told, gradyard.CurvePart):
            assert_type(told.from_step, int)
    async for one in client.watch_jobs(["id"]):
        assert_type(one, gradyard.Move | gradyard.CurvePart | gradyard.Progress | Job)
    async for seen in client.watch_batch("b", moves=True):
        assert_type(seen, gradyard.Move | gradyard.BatchNow | Batch)


async def awaited_webhooks(client: AsyncClient) -> None:
    made = await client.create_webhook("https://there/hook", ["job.succeeded"])
    assert_type(made, gradyard.NewWebhook)
    assert_type(await client.webhook(made), gradyard.Webhook)
    assert_type(await client.update_webhook(made, enabled=False), gradyard.Webhook)
    assert_type(await client.rotate_webhook_secret(made), gradyard.NewWebhook)
    assert_type(await client.test_webhook(made), gradyard.WebhookDelivery)
    assert_type(client.webhook_deliveries(made), AsyncGenerator[gradyard.WebhookDelivery, None])
    assert_type(await client.webhook_delivery(made, "d"), gradyard.WebhookDeliveryWithMessage)
    assert_type(await client.resend_webhook_delivery(made, "d"), gradyard.WebhookDelivery)
    assert_type(await client.delete_webhook(made), None)
