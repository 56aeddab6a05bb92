"""What a runner tells of the steps that it did, checked before it leaves: what is wrong is its trainer's error."""

from typing import Any

import numpy as np

from workers.runner.checked_outputs import checked_arrays, checked_metrics
from workers.runner.loop import Segment
from workers.trainers.contract import FindsArrays, FindsCoefficients, Measures, Trains

Fields = dict[str, Any]
Arrays = dict[str, np.ndarray]


def steps_of(trainer: Trains, sent: list[Segment], width: int) -> tuple[Fields, Arrays]:
    """The losses and metrics of consecutive segments of `width` members, put together."""
    losses = np.concatenate([each.losses for each in sent], axis=1)
    fields: Fields = {"start_step": sent[0].start_step, "seconds": sum(each.seconds for each in sent)}
    arrays: Arrays = {"losses": losses}
    if isinstance(trainer, Measures):
        fields["every"] = trainer.every
        end = sent[0].start_step + losses.shape[1]
        metrics = checked_metrics([each.metrics for each in sent], width, trainer.every, sent[0].start_step, end)
        arrays |= {f"metric.{name}": values for name, values in metrics.items()}
    return fields, arrays


def state_of(trainer: Trains) -> tuple[Fields, Arrays]:
    """All that a resume needs; a trainer without any state has one, too."""
    return {"whole": True}, {f"state.{name}": array for name, array in trainer.state().items()}


def findings_of(trainer: Trains, width: int) -> tuple[Fields, Arrays]:
    """What each member found in the end."""
    arrays = checked_arrays(trainer.arrays(), width) if isinstance(trainer, FindsArrays) else {}
    return {"results": _results(trainer, width)}, {f"found.{name}": array for name, array in arrays.items()}


def _results(trainer: Trains, width: int) -> list[Fields]:
    if not isinstance(trainer, FindsCoefficients):
        return [{"finite": True, "coefficients": None, "formula": None} for _ in range(width)]
    return [_result(trainer, each) for each in trainer.coefficients()]


def _result(trainer: FindsCoefficients, coefficients: dict[str, float]) -> Fields:
    finite = bool(np.isfinite(list(coefficients.values())).all())
    formula = trainer.formula(coefficients) if finite else None
    return {"finite": finite, "coefficients": coefficients if finite else None, "formula": formula}
