"""The parameters of counts and summaries."""

from pydantic import Field

from gradyard.jobs.questions.named import LONGEST, MOST_FIGURES, MOST_GROUPED_BY
from gradyard.jobs.questions.read import MOST_BYTES
from gradyard.jobs.states import State
from service.http.parameters import Project, Query, StageName
from service.http.query_parameters.ids import BatchId


class CountQuery(Query):
    """Which jobs to count."""

    where: str | None = Field(
        default=None, max_length=MOST_BYTES, description='a question: `loss_min < 9 and stage in ("nn", "optim")`'
    )
    state: State | None = Field(default=None, description="only jobs in this state")
    stage: StageName | None = Field(default=None, description="only jobs of this stage")
    batch: BatchId | None = Field(
        default=None, description="only jobs of this batch; its id, or a beginning of at least 8 digits"
    )
    project: Project = None


class SummaryQuery(CountQuery):
    """Which jobs to summarize, in which groups."""

    group: str | None = Field(
        default=None, max_length=LONGEST,
        description=f"columns whose values make groups, with commas; {MOST_GROUPED_BY} at most",
    )  # fmt: skip
    of: str | None = Field(
        default=None, max_length=LONGEST,
        description=f"columns of numbers or times to measure, with commas; {MOST_FIGURES} at most",
    )  # fmt: skip
