"""The body of a request that sets which ended jobs a project keeps."""

from pydantic import Field, TypeAdapter

from gradyard.jobs.storage import LARGEST, MOST_DAYS, RetentionRule
from gradyard.jobs.strict_model import StrictModel
from gradyard.jobs.submission.requests.verbs import read_body


class RetentionRequest(StrictModel):
    """Which ended jobs a project keeps. What is null, or left out, says nothing; `{}` keeps all."""

    days: float | None = Field(default=None, gt=0, le=MOST_DAYS, allow_inf_nan=False)
    jobs: int | None = Field(default=None, ge=1, le=LARGEST)
    bytes: int | None = Field(default=None, ge=1, le=LARGEST)


def read_retention_rule(body: bytes) -> RetentionRule:
    """The rule in the body. Raises BodyMalformed where it is not JSON, BodyInvalid where a field is not valid."""
    return RetentionRule(**read_body(_REQUEST, body).model_dump())


_REQUEST = TypeAdapter(RetentionRequest)
