"""What stands in the body of a batch beside its jobs, and a sweep: read by their types."""

from typing import Any

import orjson
from pydantic import Field, TypeAdapter

from gradyard.jobs.errors import BodyMalformed, FieldProblem, SpecInvalid
from gradyard.jobs.specs.base import Text
from gradyard.jobs.specs.dependencies import Dependencies
from gradyard.jobs.specs.sweeps import Sweep
from gradyard.jobs.strict_model import StrictModel
from gradyard.jobs.validation.from_json import validated
from gradyard.jobs.validation.json_weight import Weight


class Named(StrictModel):
    """A batch's name, and what all of its jobs wait for."""

    name: Text | None = Field(default=None, max_length=200)
    depends_on: Dependencies | None = None


class BatchSweep(Sweep, Named):
    """A sweep with a name for its batch."""


_NAMED, _SWEEP = TypeAdapter(Named), TypeAdapter(BatchSweep)


def named_in(rest: dict[str, Any]) -> Named:
    """What a batch says beside its jobs. Raises SpecInvalid where it says anything else."""
    named: Named = validated(_NAMED, dumped(rest))
    return named


def sweep_in(whole: dict[str, Any], weight: Weight) -> BatchSweep:
    """The sweep, which is taken out of `whole`: as values and by its types it would take twice the memory.

    weight: that of its body.

    Raises SpecInvalid where it has a wrong value, or too many to be read by their types.
    """
    if excess := weight.excess_of_sweep:
        raise SpecInvalid([FieldProblem("", f"has {excess}")])
    body = dumped(whole)
    whole.clear()
    sweep: BatchSweep = validated(_SWEEP, body)
    return sweep


def dumped(value: Any) -> bytes:
    """The value as JSON. Raises BodyMalformed where it is nested too deeply: orjson reads deeper than it writes."""
    try:
        return orjson.dumps(value)
    except orjson.JSONEncodeError:
        raise BodyMalformed("it is nested too deeply") from None
