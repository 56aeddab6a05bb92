"""The values that a sweep gives to a parameter."""

import json
import math
from collections.abc import Sequence
from fractions import Fraction
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Discriminator, Field, Tag, WithJsonSchema, model_validator
from pydantic_core import PydanticCustomError

from gradyard.jobs.strict_model import Finite, StrictModel
from gradyard.jobs.validation.messages import value_text
from gradyard.jobs.validation.typed_values import draws_from, several_from

MOST_SHOWN = 80  # characters of an example


def _number(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise PydanticCustomError("float_type", "must be a number")
    if isinstance(value, float) and not math.isfinite(value):
        raise PydanticCustomError("finite_number", "must be a finite number")
    return value


Number = Annotated[int | float, BeforeValidator(_number), WithJsonSchema({"type": "number"})]


class Span(StrictModel):
    """The numbers from `start` up to, not including, `stop`, each `step` more than the one before.

    They are those of decimal arithmetic: from 0.1 by steps of 0.1 the third is 0.3, not 0.30000000000000004.
    """

    start: Number = 0
    stop: Number
    step: Number = 1

    @model_validator(mode="after")
    def _has_values(self) -> Self:
        if self.step <= 0:
            raise PydanticCustomError("at_step", "must be greater than 0, not {step}", {"step": self.step})
        if _exact(self.start) >= _exact(self.stop):  # as floats they may be in another order
            raise ValueError("the range is empty; start must be less than stop")
        if "step" not in self.model_fields_set and not (_is_whole(self.start) and _is_whole(self.stop)):
            raise PydanticCustomError("at_step", "is missing; a range of fractions needs one")
        return self

    @property
    def size(self) -> int:
        """The number of values."""
        return math.ceil((_exact(self.stop) - _exact(self.start)) / _exact(self.step))

    def values(self) -> Sequence[float]:
        """The values, in order; whole numbers where start and step are whole."""
        start, step = _exact(self.start), _exact(self.step)
        if _is_whole(self.start) and _is_whole(self.step):
            return range(int(start), math.ceil(_exact(self.stop)), int(step))
        # Over one denominator: adding fractions takes a hundred times as long where it has hundreds of digits.
        denominator = math.lcm(start.denominator, step.denominator)
        first, each = int(start * denominator), int(step * denominator)
        return [(first + index * each) / denominator for index in range(self.size)]


def _is_whole(number: float) -> bool:
    return _exact(number).denominator == 1


def _exact(number: float) -> Fraction:
    """The number as it is written in decimal, without the rounding of binary fractions."""
    return Fraction(number if isinstance(number, int) else repr(number))


def _kind_of_axis(value: Any) -> str:
    return "span" if isinstance(value, dict | Span) else "list"


def _no_draws(value: Any) -> Any:
    if isinstance(value, list | Span) or (isinstance(value, dict) and not {"low", "high"} & value.keys()):
        return value
    if isinstance(value, dict):
        raise _refusal('has low and high, which are for "random"')
    meant = several_from(value) if isinstance(value, str) else None
    raise _refusal(f"must be a list or a range, not {value_text(value)}{_write(meant or [value])}")


def _no_list(value: Any) -> Any:
    if isinstance(value, Drawn) or (isinstance(value, dict) and not {"start", "stop"} & value.keys()):
        return value
    if isinstance(value, dict | list):
        raise _refusal('must be an object with low and high; lists and ranges are for "grid"')
    meant = draws_from(value) if isinstance(value, str) else None
    raise _refusal(f"must be an object, not {value_text(value)}{_write(meant) if meant else ''}")


def _write(example: Any) -> str:
    text = json.dumps(example)
    return f"; write {text}" if len(text) <= MOST_SHOWN else ""


def _refusal(message: str) -> PydanticCustomError:
    return PydanticCustomError("no_values", "{message}", {"message": message})


Axis = Annotated[
    Annotated[list[Any], Field(min_length=1), Tag("list")] | Annotated[Span, Tag("span")],
    Discriminator(_kind_of_axis),
    BeforeValidator(_no_draws),
]


class Drawn(StrictModel):
    """A number drawn anew for each job, uniform between `low` and `high`, or uniform in its logarithm."""

    low: Finite
    high: Finite
    scale: Literal["linear", "log"] = "linear"

    @model_validator(mode="after")
    def _range_is_not_empty(self) -> Self:
        if self.low >= self.high:
            raise ValueError("low must be less than high")
        if not math.isfinite(self.high - self.low):
            raise ValueError("low and high are too far apart for floating point")
        if self.scale == "log" and self.low <= 0:
            raise ValueError("low must be greater than 0 on a log scale")
        return self

    def at(self, fraction: float) -> float:
        """The number at a fraction, 0 to 1, of the way from `low` to `high`."""
        if self.scale == "linear":
            return self.low + fraction * (self.high - self.low)
        return math.exp(math.log(self.low) + fraction * (math.log(self.high) - math.log(self.low)))


Draws = Annotated[Drawn, BeforeValidator(_no_list)]
