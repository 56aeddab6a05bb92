"""The parameters of exports."""

from typing import Literal

from pydantic import Field

from gradyard.jobs.questions.read import MOST_BYTES
from service.http.parameters import Project, Query
from service.http.query_parameters.ids import BatchId, JobId

MOST_JOBS = 200  # that are named; a page of a list has no more


class ExportOptions(Query):
    """Of which jobs an export is, and how it is written."""

    where: str | None = Field(
        default=None, max_length=MOST_BYTES, description='a question: `loss_min < 9 and stage in ("nn", "optim")`'
    )
    curves: Literal["none", "long", "list"] | None = Field(
        default=None, description="none: a row a job; long: a row a loss; list: a row a job with all of its losses"
    )
    format: Literal["ndjson", "csv", "parquet", "arrow"] | None = Field(
        default=None, description="in place of the header Accept, for browsers"
    )
    losses: Literal["numbers", "base64"] = Field(
        default="numbers", description="in NDJSON; base64: of the little-endian bytes in the job's dtype"
    )
    project: Project = None


class ExportQuery(ExportOptions):
    """Which jobs to export."""

    batch: BatchId | None = Field(
        default=None, description="only jobs of this batch; its id, or a beginning of at least 8 digits"
    )
    job: list[JobId] = Field(
        default=[], max_length=MOST_JOBS, description="only this job; its id, or its beginning, once for each job"
    )


class BatchExportQuery(ExportOptions):
    """Which jobs of a batch to export."""
