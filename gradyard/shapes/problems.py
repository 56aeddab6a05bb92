"""What every error looks like."""

from pydantic import ConfigDict, Field

from gradyard.shapes.base import Answer


class FieldError(Answer):
    """One thing wrong with a request, and a JSON pointer (RFC 6901) to it; in a batch, into the job at `index`."""

    model_config = ConfigDict(json_schema_serialization_defaults_required=False)  # `index` is for batches alone

    pointer: str
    message: str
    index: int | None = None

    @property
    def place(self) -> str:
        """Where the error is, for people: `/steps`, or `job 3: /steps`."""
        pointer = self.pointer or "/"
        return pointer if self.index is None else f"job {self.index}: {pointer}"


class Candidate(Answer):
    """One of the things whose ids begin with what the request wrote.

    Jobs alone have a stage; the name of a webhook is its URL.
    """

    id: str
    stage: str | None
    name: str | None
    state: str


class Problem(Answer):
    """What went wrong (RFC 9457); `type` is one word for programs, `errors` says which fields of the request."""

    model_config = ConfigDict(json_schema_serialization_defaults_required=False)  # what has a default is optional

    type: str
    title: str
    status: int
    detail: str
    errors: tuple[FieldError, ...] = ()
    total: int | None = Field(default=None, description="of all errors of a batch; `errors` has the first of them")
    candidates: tuple[Candidate, ...] = Field(default=(), description="of an ambiguous id: the newest ten")
