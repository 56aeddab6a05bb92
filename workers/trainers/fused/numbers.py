"""The numbers of each member that the fused kernel reads. Loads without Triton."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from workers.trainers.contract import Member
from workers.trainers.inputs.parameters import Floats, column
from workers.trainers.losses.written_out import thresholds

COMMON, OWN = 3, 4
"""Columns of `numbers_of`: threshold, learning rate and weight decay; then at most four of the optimizer."""

OWN_NUMBERS: Mapping[str, Callable[[Mapping[str, Any]], tuple[float, ...]]] = {
    "sgd": lambda its: (its["momentum"], its["nesterov"]),
    "rmsprop": lambda its: (its["alpha"], 1 - its["alpha"], its["eps"], its["momentum"]),
    "adam": lambda its: (1 - its["beta1"], its["beta2"], 1 - its["beta2"], its["eps"]),
    "adamw": lambda its: (1 - its["beta1"], its["beta2"], 1 - its["beta2"], its["eps"]),
    "adagrad": lambda its: (its["eps"], its["lr_decay"]),
}
"""By optimizer, what its update needs beside the learning rate and the weight decay."""


def numbers_of(members: Sequence[Member]) -> Floats:
    """(members, `COMMON` + `OWN`), in float64; zeros where an optimizer has fewer."""
    numbers = np.zeros((len(members), COMMON + OWN))
    numbers[:, 0] = thresholds(members)
    numbers[:, 1] = column(members, "learning_rate")
    numbers[:, 2] = column(members, "optimizer", "weight_decay")
    own = OWN_NUMBERS[members[0]["optimizer"]["name"]]
    rows = np.array([own(member["optimizer"]) for member in members], dtype=np.float64)
    numbers[:, COMMON : COMMON + rows.shape[1]] = rows
    return numbers


def log_betas_of(members: Sequence[Member]) -> Floats:
    """The logarithms, of base 2, of Adam's two betas, (members, 2); zeros for another optimizer."""
    if "beta1" not in members[0]["optimizer"]:
        return np.zeros((len(members), 2))
    with np.errstate(divide="ignore"):  # a beta of 0 has minus infinity, and every power of it is 0 again
        return np.log2([[member["optimizer"]["beta1"], member["optimizer"]["beta2"]] for member in members])
