"""torch.optim's five update rules with every hyper-parameter a column, so that each member may have its own.

Bit for bit what torch.optim computes with plain numbers: its `add(g, alpha=s)` and `addcmul(g, h, value=s)` round once
where a product and a sum would round twice, hence the same calls here with the factor moved into a tensor.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import Tensor

from workers.trainers.contract import Member
from workers.trainers.inputs.parameters import Floats, are_shared, column
from workers.trainers.tensors.transfer import upload

Slots = Mapping[str, Tensor]
"""The state of a rule between updates, by name, each (members, coefficients)."""


class Settings:
    """The hyper-parameters of a pack: `exact` in float64, (members,), or `column` in its dtype, (members, 1)."""

    def __init__(self, members: Sequence[Member], dtype: torch.dtype, device: str) -> None:
        self._members = members
        self._dtype = dtype
        self._device = device
        self.learning_rate = column(members, "learning_rate")

    def exact(self, name: str) -> Floats:
        return column(self._members, "optimizer", name)

    def column(self, values: Floats) -> Tensor:
        return upload(values, self._device, self._dtype).unsqueeze(1)


Numbers = Sequence[Tensor]
"""What an update needs that changes from one to the next, columns (members, 1)."""


class Rule(ABC):
    """One update of (members, coefficients): the weights and the slots afterwards, of new storage.

    Called with tensors only, so that a graph of many updates can be compiled; `numbers` are made beside it.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.learning_rate = settings.learning_rate
        decay = settings.exact("weight_decay")
        self.weight_decay = settings.column(decay)
        self.decays = settings.column(decay) != 0 if decay.any() else None

    @abstractmethod
    def __call__(self, weight: Tensor, grad: Tensor, slots: Slots, numbers: Numbers) -> tuple[Tensor, Slots]:
        """The weights and slots after this update."""

    def numbers(self, updates: Floats) -> list[Floats]:
        """In float64, (members,), for the update that is every member's `updates`-th, (members,)."""
        return []

    def decayed(self, weight: Tensor, grad: Tensor) -> Tensor:
        """The gradient of the loss plus weight_decay / 2 times the square of the weight."""
        if self.decays is None:
            return grad
        # A member without decay keeps its gradient as it is: 0 times an infinite weight would not be nothing.
        return torch.where(self.decays, torch.addcmul(grad, weight, self.weight_decay), grad)


class SGD(Rule):
    """Gradient descent, with momentum or Nesterov's (Sutskever et al., 2013) where the pack has that slot."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.minus_rate = settings.column(-self.learning_rate)
        self.momentum = settings.column(settings.exact("momentum"))
        self.nesterov = settings.column(settings.exact("nesterov")) != 0

    def __call__(self, weight: Tensor, grad: Tensor, slots: Slots, numbers: Numbers) -> tuple[Tensor, Slots]:
        grad = self.decayed(weight, grad)
        if "momentum" not in slots:
            return torch.addcmul(weight, grad, self.minus_rate), slots
        momentum = slots["momentum"] * self.momentum + grad
        direction = torch.where(self.nesterov, torch.addcmul(grad, momentum, self.momentum), momentum)
        return torch.addcmul(weight, direction, self.minus_rate), {"momentum": momentum}


class RMSprop(Rule):
    """The gradient over the root of its running mean square (Hinton, lecture 6e of 2012), not centred."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.minus_rate = settings.column(-self.learning_rate)
        self.momentum = settings.column(settings.exact("momentum"))
        self.alpha = settings.column(settings.exact("alpha"))
        self.rest = settings.column(1 - settings.exact("alpha"))
        self.eps = settings.column(settings.exact("eps"))

    def __call__(self, weight: Tensor, grad: Tensor, slots: Slots, numbers: Numbers) -> tuple[Tensor, Slots]:
        grad = self.decayed(weight, grad)
        square_average = torch.addcmul(slots["square_average"] * self.alpha, self.rest * grad, grad)
        root = square_average.sqrt() + self.eps
        if "momentum" not in slots:
            return torch.addcdiv(weight, self.minus_rate * grad, root), {"square_average": square_average}
        momentum = torch.addcdiv(slots["momentum"] * self.momentum, grad, root)
        weight = torch.addcmul(weight, momentum, self.minus_rate)
        return weight, {"square_average": square_average, "momentum": momentum}


class Adam(Rule):
    """Adam (Kingma and Ba, 2015)."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.betas = settings.exact("beta1"), settings.exact("beta2")
        self.rest1 = settings.column(1 - settings.exact("beta1"))
        self.beta2 = settings.column(settings.exact("beta2"))
        self.rest2 = settings.column(1 - settings.exact("beta2"))
        self.eps = settings.column(settings.exact("eps"))

    def __call__(self, weight: Tensor, grad: Tensor, slots: Slots, numbers: Numbers) -> tuple[Tensor, Slots]:
        return self.adapted(weight, self.decayed(weight, grad), slots, numbers)

    def adapted(self, weight: Tensor, grad: Tensor, slots: Slots, numbers: Numbers) -> tuple[Tensor, Slots]:
        average = torch.lerp(slots["average"], grad, self.rest1)
        square_average = torch.addcmul(slots["square_average"] * self.beta2, self.rest2 * grad, grad)
        minus_rate, second = numbers
        root = square_average.sqrt() / second + self.eps
        weight = torch.addcdiv(weight, minus_rate * average, root)
        return weight, {"average": average, "square_average": square_average}

    def numbers(self, updates: Floats) -> list[Floats]:
        first, second = (_powers(beta, updates) for beta in self.betas)
        return [-(self.learning_rate / (1 - first)), np.array([rest**0.5 for rest in (1 - second).tolist()])]


class AdamW(Adam):
    """Adam with the weight decay taken out of the gradient (Loshchilov and Hutter, 2019)."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.shrink = settings.column(1 - self.learning_rate * settings.exact("weight_decay"))

    def __call__(self, weight: Tensor, grad: Tensor, slots: Slots, numbers: Numbers) -> tuple[Tensor, Slots]:
        return self.adapted(weight * self.shrink, grad, slots, numbers)


class Adagrad(Rule):
    """The gradient over the root of the sum of its squares (Duchi, Hazan and Singer, 2011)."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.eps = settings.column(settings.exact("eps"))
        self.lr_decay = settings.exact("lr_decay")

    def __call__(self, weight: Tensor, grad: Tensor, slots: Slots, numbers: Numbers) -> tuple[Tensor, Slots]:
        grad = self.decayed(weight, grad)
        (minus_rate,) = numbers
        square_sum = torch.addcmul(slots["square_sum"], grad, grad)
        root = square_sum.sqrt() + self.eps
        return torch.addcdiv(weight, minus_rate * grad, root), {"square_sum": square_sum}

    def numbers(self, updates: Floats) -> list[Floats]:
        return [-(self.learning_rate / (1 + (updates - 1) * self.lr_decay))]


def _powers(beta: Floats, updates: Floats) -> Floats:
    """beta^updates by Python's power, as in torch.optim (also for the root above): numpy's own may round otherwise."""
    if are_shared(beta) and are_shared(updates):
        return np.full(len(beta), float(beta[0]) ** float(updates[0]))
    return np.array([base**exponent for base, exponent in zip(beta.tolist(), updates.tolist(), strict=True)])
