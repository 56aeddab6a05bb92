"""Requests for a job's values at given x, from JSON to a valid request."""

from typing import Annotated

from pydantic import FailFast, Field, TypeAdapter

from gradyard.jobs.strict_model import Finite, StrictModel
from gradyard.jobs.submission.requests.verbs import read_body

MOST_POINTS = 100_000


class PredictionRequest(StrictModel):
    """A request for y at each x, in the units of the data that the job was submitted with."""

    x: Annotated[list[Finite], FailFast()] = Field(max_length=MOST_POINTS)


_PREDICTION = TypeAdapter(PredictionRequest)


def read_prediction_request(body: bytes) -> PredictionRequest:
    """Read the request. Raises BodyMalformed where it is not JSON, BodyInvalid where a field is not valid."""
    request: PredictionRequest = read_body(_PREDICTION, body)
    return request
