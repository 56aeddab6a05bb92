"""What the document says of the service as a whole: what it is for, keys, errors, limits, and its kinds of routes."""

from functools import cache
from importlib.metadata import metadata

from flask_openapi3.models.info import Info

from gradyard.jobs.settings import Settings

TAGS = {
    "jobs": "Submit a job, wait for it, look at it, change, cancel, retry, recheck or delete it.",
    "batches": "Submit many jobs as one: a list, lines, or a sweep. Ask how far it is; cancel or retry it.",
    "events": "What happens to jobs and batches, told as it happens: streams of server-sent events.",
    "results": "Curves of losses and metrics, arrays, predictions and receipts.",
    "questions": "Count, group, rank or change all jobs that satisfy an expression such as `loss_min < 9`.",
    "exports": "All jobs of a question, or all of their losses, streamed as NDJSON, CSV, Parquet or Arrow.",
    "files": "Data of your own: send a CSV, NPY, NPZ or Parquet file in, and train on two of its columns.",
    "stages": "What can be trained, with which parameters.",
    "workers": "Hosts, slots and queues: what they train, and drains and pauses.",
    "webhooks": "Be told by a request of the service: that a job or batch has ended, that a worker is lost.",
    "keys": "Keys of the API, for administrators.",
    "storage": "What is stored, and for how long.",
    "audit": "Who did what with keys, workers and queues, for operators.",
    "health": "For those who watch the service.",
}
"""Kinds of routes, in the order in which they are shown."""

_INTRODUCTION = """\
gradyard trains what you submit. A job is a stage and its parameters; a worker trains it; the loss of every step, the
coefficients and the timings are stored, to be asked for here.

**First steps.** `POST /v1/jobs` with the body `{{"stage": "optim"}}` answers with the job's `id`. Then
`GET /v1/jobs/{{id}}?wait=30` answers when the job has ended, and `GET /v1/jobs/{{id}}/losses` with its curve.
`GET /v1/stages` lists what can be trained. `POST /v1/batches` takes up to {max_batch_jobs:,} jobs, or a sweep.

**Keys.** Send `Authorization: Bearer KEY` with each request. Each operation names the scope that its key must have. A
service without keys serves its own machine alone.

**Errors** are `application/problem+json` (RFC 9457). `type` is a fixed word for programs. `detail` says what was wrong
and what to do. `errors` has a JSON pointer and a message for each wrong field. Clients should expect new fields and
new words.

**Sending again.** With an `Idempotency-Key` of your own, a request that creates jobs may be sent again: it gets the
answer of the first, with `Idempotent-Replayed: true`, and nothing is trained twice. A 429 or 503 says in `Retry-After`
in how many seconds.

**Lists** have at most `limit` entries and a `next_cursor`; send it as `cursor` for the next page. It is null on the
last.

**Limits.** A job may have {json} of JSON and {max_steps:,} steps, a batch {batch}. At most {max_queued_jobs:,} jobs may
wait. Times are in UTC; ids are UUIDs, and their first eight digits or more will do. NaN and infinity are null in JSON.
"""


_metadata = cache(metadata)  # it parses a file


def info(settings: Settings) -> Info:
    """Name, version and description of the service: a dozen lines of Markdown, with the limits of these settings."""
    package = _metadata("gradyard")
    return Info(
        title="gradyard", version=package["Version"], summary=package["Summary"], description=_described(settings)
    )


def _described(settings: Settings) -> str:
    limits = settings.model_dump(include={"max_batch_jobs", "max_steps", "max_queued_jobs"})
    json, batch = _mebibytes(settings.max_json_bytes), _mebibytes(settings.max_batch_bytes)
    return _INTRODUCTION.format(**limits, json=json, batch=batch)


def _mebibytes(count: int) -> str:
    """So many bytes in MiB, with the digits that it needs: `1 MiB`, `0.5 MiB`."""
    return f"{count / 2**20:.3g} MiB"
