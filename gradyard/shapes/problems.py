"""What every error looks like."""

from pydantic import ConfigDict

from gradyard.shapes.base import Answer


class FieldError(Answer):
    """One thing wrong with a request, and a JSON pointer (RFC 6901) to it; in a batch, into the job at `index`."""

    pointer: str
    message: str


class Problem(Answer):
    """What went wrong (RFC 9457); `type` is one word for programs, `errors` says which fields of the request."""

    model_config = ConfigDict(json_schema_serialization_defaults_required=False)  # `errors` is not always there

    type: str
    title: str
    status: int
    detail: str
    errors: tuple[FieldError, ...] = ()
