"""Numbers computed once, when a job is submitted: scaling, the learning rate of `auto`, the loss of least squares."""

from collections.abc import Hashable
from typing import Any, NamedTuple

import numpy as np

from gradyard.jobs.errors import FieldProblem, SpecInvalid
from gradyard.jobs.numbers.initial_weights import initial_weights
from gradyard.jobs.numbers.models import UNSETTLED, predicted
from gradyard.jobs.specs.base import JobSpec
from gradyard.jobs.specs.builtin import CoefficientsSpec
from gradyard.jobs.specs.datasets import FunctionData
from gradyard.jobs.submission.resolution.data_facts import DataFacts, facts_of
from gradyard.jobs.submission.resolution.prospects import Descending, Descents, Warnings, too_fast
from gradyard.jobs.submission.resolution.quadratic import Quadratic

# The largest condition of the matrix of x's powers. At 1e7 the weights lose seven of their sixteen digits.
MOST_CONDITION = 1e7
LARGEST = {dtype: float(np.finfo(dtype).max) for dtype in ("float32", "float64")}
_HELP = 'lower the degree, use scale "standard", or execution "eager"'


class Resolution(NamedTuple):
    """The numbers that a spec leaves open, how it descends on a quadratic (None where on none), and what is wrong then.

    Specs that differ in their seeds alone have the same one, unless their data have noise.
    """

    numbers: dict[str, Any]
    descending: Descending | None = None
    too_fast: Warnings = []


def resolve(spec: JobSpec, descents: Descents) -> tuple[dict[str, Any], Warnings]:
    """The numbers that the spec leaves open, and warnings (pointer, message) for the sender.

    Warnings about slow descent may be added to the list later, by `descents.warn()`. Raises as `resolution_of` does.
    """
    if not isinstance(spec, CoefficientsSpec):
        return {}, []
    resolution = resolution_of(spec)
    return resolution.numbers, warnings_of(spec, resolution, descents)


def resolution_of(spec: CoefficientsSpec) -> Resolution:
    """What its data say of the spec.

    Its numbers: `learning_rate`; `scaling` where x and y are scaled; `attainable_loss` where the loss is a quadratic.
    Raises SpecInvalid for data that overflow, and for `gram` on powers of x that are nearly dependent.
    """
    facts = facts_of(spec)
    _check_sizes(spec, facts)
    _check_start(spec, facts)
    numbers: dict[str, Any] = {}
    if spec.learning_rate != "auto":
        numbers["learning_rate"] = spec.learning_rate
    if facts.scaling is not None:
        numbers["scaling"] = facts.scaling.as_json()
    if facts.quadratic is None:
        return Resolution(numbers)
    numbers["attainable_loss"] = facts.quadratic.attainable
    if not spec.descends_a_quadratic:
        return Resolution(numbers)
    rate = _rate(spec, facts.quadratic)
    descending = Descending.of(spec, facts.quadratic, rate)
    return Resolution({"learning_rate": rate} | numbers, descending, too_fast(descending))


def warnings_of(spec: CoefficientsSpec, resolution: Resolution, descents: Descents) -> Warnings:
    """Warnings for the sender of a spec with that resolution. Those about slow descent come by `descents.warn()`."""
    warnings = _unused(spec)
    if resolution.too_fast:
        warnings += resolution.too_fast
    elif resolution.descending is not None:
        descents.add(spec, resolution.descending, warnings)
    return warnings


def work_of(spec: JobSpec) -> tuple[Hashable, int]:
    """What `resolve` computes from, and how many numbers it is. Equal values of the first are computed once."""
    if not isinstance(spec, CoefficientsSpec):
        return None, 0
    key = spec.dataset.key(spec.seed)
    if spec.dataset.grid is not None and isinstance(spec.dataset, FunctionData) and spec.dataset.noise:
        return key, 2 * spec.dataset.points  # the powers of x are those of its grid
    each = len(spec.coefficient_names) if spec.has_a_quadratic_loss else 1
    return (object() if key is None else (key, each, spec.scales)), spec.dataset.points * each


def _unused(spec: CoefficientsSpec) -> Warnings:
    """A seed from which nothing is drawn is accepted, since sweeps run over seeds, but never in silence."""
    if spec.seed == 0 or spec.draws:
        return []
    return [{"pointer": "/seed", "message": "nothing is drawn from the seed: init is fixed, the data have no noise"}]


def _rate(spec: CoefficientsSpec, quadratic: Quadratic) -> float:
    """The learning rate of plain gradient descent on a quadratic, that of `auto` included."""
    if spec.execution == "gram" and quadratic.condition > MOST_CONDITION:
        condition = f"the powers of x have the condition {quadratic.condition:.1g}, over {MOST_CONDITION:.0e}"
        raise SpecInvalid([FieldProblem("/execution", f"{condition}, and gram loses digits; {_HELP}")])
    return 1.0 / quadratic.steepest if spec.learning_rate == "auto" else spec.learning_rate


def _check_sizes(spec: CoefficientsSpec, facts: DataFacts) -> None:
    """Refuse data whose loss or gradient overflows at the very first step."""
    largest = LARGEST[spec.dtype]
    problems = []
    if not facts.x_size <= largest:
        power = f"x^{spec.highest_power}"
        message = f"{power} is too large: its {_sum(spec)} over all points is {facts.x_size:.1e}"
        cure = f"{_cure(spec, facts.x_size)}{' or a lower degree' if 'degree' in type(spec).model_fields else ''}"
        problems.append(FieldProblem(spec.dataset.x_pointer, f"{message}{cure}"))
    # Of a function whose x is not finite, y is not either, and x is the cause.
    if not facts.y_size <= largest and not (problems and problems[0].pointer == spec.dataset.y_pointer):
        message = f"y is too large: its {_sum(spec)} over all points is {facts.y_size:.1e}"
        problems.append(FieldProblem(spec.dataset.y_pointer, f"{message}{_cure(spec, facts.y_size)}"))
    if problems:
        raise SpecInvalid(problems)


def _check_start(spec: CoefficientsSpec, facts: DataFacts) -> None:
    """Refuse weights that were given and whose loss overflows at the very first step."""
    if isinstance(spec.init, str) or spec.stage == UNSETTLED:
        return
    largest = LARGEST[spec.dtype]
    reach = len(spec.init) * max(map(abs, spec.init.values()))
    if 2.0 * reach * reach * (facts.x_size + spec.dataset.points) + 2.0 * facts.y_size <= largest:
        return  # no weights of that size come near it, and the model need not be computed
    loss = _first_loss(spec, facts)
    if not loss <= largest:
        message = f"with these weights the loss begins at {loss:.1e}, and the largest number of {spec.dtype} is "
        raise SpecInvalid([FieldProblem("/init", f"{message}{largest:.1e}; use smaller ones")])


@np.errstate(over="ignore", invalid="ignore")
def _first_loss(spec: CoefficientsSpec, facts: DataFacts) -> float:
    x, y = spec.dataset.x_values(), spec.dataset.y_values(spec.seed)
    if facts.scaling is not None:
        x, y = facts.scaling.scaled_x(x), facts.scaling.scaled_y(y)
    weights = initial_weights(spec.init, spec.seed, spec.coefficient_names).tolist()
    errors = np.abs(predicted(spec.stage, dict(zip(spec.coefficient_names, weights, strict=True)), x) - y)
    total = float(errors @ errors if spec.loss.name == "mse" else errors.sum())
    return total / len(errors) if spec.loss.reduction == "mean" else total


def _sum(spec: CoefficientsSpec) -> str:
    return "sum of squares" if spec.loss.name == "mse" else "sum"


def _cure(spec: CoefficientsSpec, size: float) -> str:
    """What makes such data trainable. No scale and no dtype helps where float64 itself overflows."""
    finite = np.isfinite(size)
    cures = ['scale "standard"'] if finite and "scale" in type(spec).model_fields and spec.scales == "none" else []
    cures += ['dtype "float64"'] if finite and spec.dtype == "float32" else []
    largest = f"{LARGEST[spec.dtype]:.1e}"
    return f", and the largest number of {spec.dtype} is {largest}; use {', '.join([*cures, 'smaller numbers'])}"
