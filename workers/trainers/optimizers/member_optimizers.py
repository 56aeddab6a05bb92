"""The optimizer of a pack: torch.optim itself where the members' settings agree, else its update written out.

Both keep the same slots under the same names and give the same bits.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from workers.trainers.contract import Member
from workers.trainers.models.order_plan import ALL, EVERY_MEMBER, Participants
from workers.trainers.optimizers import update_rules
from workers.trainers.tensors.row_sums import is_on_gpu
from workers.trainers.tensors.transfer import flatten, split_like


class Kind(NamedTuple):
    """A rule here, its class in torch.optim, torch's names of its slots, and its options as torch takes them."""

    rule: type[update_rules.Rule]
    torch_class: Callable[..., torch.optim.Optimizer]
    slots: Mapping[str, str]
    options: Callable[[Mapping[str, Any]], dict[str, Any]]


def _named(*names: str) -> Callable[[Mapping[str, Any]], dict[str, Any]]:
    return lambda optimizer: {name: optimizer[name] for name in names}


def _adam_options(optimizer: Mapping[str, Any]) -> dict[str, Any]:
    return {"betas": (optimizer["beta1"], optimizer["beta2"])} | _named("eps", "weight_decay")(optimizer)


_ADAM_SLOTS = {"average": "exp_avg", "square_average": "exp_avg_sq", "step": "step"}

KINDS: Mapping[str, Kind] = {
    "sgd": Kind(
        update_rules.SGD,
        torch.optim.SGD,
        {"momentum": "momentum_buffer"},
        _named("momentum", "nesterov", "weight_decay"),
    ),
    "rmsprop": Kind(
        update_rules.RMSprop,
        torch.optim.RMSprop,
        {"square_average": "square_avg", "momentum": "momentum_buffer", "step": "step"},
        _named("alpha", "eps", "momentum", "weight_decay"),
    ),
    "adam": Kind(update_rules.Adam, torch.optim.Adam, _ADAM_SLOTS, _adam_options),
    "adamw": Kind(update_rules.AdamW, torch.optim.AdamW, _ADAM_SLOTS, _adam_options),
    "adagrad": Kind(
        update_rules.Adagrad,
        torch.optim.Adagrad,
        {"square_sum": "sum", "step": "step"},
        _named("eps", "lr_decay", "weight_decay"),
    ),
}


class KeepsSlots(Protocol):
    """The state of an optimizer between updates, by name, each (members, coefficients)."""

    def slots(self) -> dict[str, Tensor]: ...

    def load_slots(self, slots: Mapping[str, Tensor]) -> None: ...


class MemberOptimizer(KeepsSlots, Protocol):
    """Updates parameters of (members, ...) by their gradients."""

    def zero_grad(self) -> None: ...

    def step(self) -> None: ...


def optimizer_of(parameters: Sequence[Tensor], members: Sequence[Member]) -> MemberOptimizer:
    """torch.optim for members that agree, as one job always does; else the written-out form.

    On a GPU the written-out form always: no documentation promises that its kernels round as torch.optim's do.
    """
    first = members[0]
    agree = all(
        member["optimizer"] == first["optimizer"] and member["learning_rate"] == first["learning_rate"]
        for member in members
    )
    if agree and not is_on_gpu(parameters[0]):
        return TorchOptimizer(parameters, first)
    return WrittenOutOptimizer(parameters, members)


def slot_names(member: Member) -> list[str]:
    """The slots that the member's optimizer keeps; a momentum of 0 needs none."""
    optimizer = member["optimizer"]
    return [name for name in KINDS[optimizer["name"]].slots if name != "momentum" or optimizer["momentum"] > 0]


class TorchOptimizer:
    """torch.optim with the settings of `member`, which all members share."""

    def __init__(self, parameters: Sequence[Tensor], member: Member) -> None:
        optimizer = member["optimizer"]
        kind = KINDS[optimizer["name"]]
        self._parameters = parameters
        self._torch_names = {name: kind.slots[name] for name in slot_names(member)}
        # One kernel for each parameter is faster on a CPU than one for all of them.
        self._inner = kind.torch_class(parameters, lr=member["learning_rate"], foreach=False, **kind.options(optimizer))
        self.step = self._inner.step

    def zero_grad(self) -> None:
        """Drop the gradients. torch.optim's own method takes 5 us longer, to look for a profiler."""
        for parameter in self._parameters:
            parameter.grad = None

    def slots(self) -> dict[str, Tensor]:
        """Zeros for a parameter that was never updated; torch makes its slots with the first update."""
        return {
            name: flatten([self._slot(parameter, torch_name) for parameter in self._parameters])
            for name, torch_name in self._torch_names.items()
        }

    def load_slots(self, slots: Mapping[str, Tensor]) -> None:
        for name, torch_name in self._torch_names.items():
            for parameter, part in zip(self._parameters, split_like(slots[name], self._parameters), strict=True):
                slot = torch.tensor(float(part[0, 0])) if name == "step" else part.reshape(parameter.shape).clone()
                self._inner.state[parameter][torch_name] = slot

    def _slot(self, parameter: Tensor, torch_name: str) -> Tensor:
        slot = self._inner.state.get(parameter, {}).get(torch_name)
        if torch_name == "step":
            count = 0 if slot is None else int(slot)
            return torch.full(parameter.shape, count, dtype=torch.int64)
        return torch.zeros_like(parameter) if slot is None else slot


class WrittenOutOptimizer:
    """torch.optim's update written out, with each member's own settings, for the members that took part in a step.

    The parameters become views of one tensor, (members, coefficients), so an update writes all of them at once.
    """

    def __init__(self, parameters: Sequence[Tensor], members: Sequence[Member]) -> None:
        self._parameters = parameters
        self._weights = weights = flatten(parameters)
        for parameter, part in zip(parameters, split_like(weights, parameters), strict=True):
            parameter.data = part.reshape(parameter.shape)
        self._settings = update_rules.Settings(members, weights.dtype, str(weights.device))
        self._rule = KINDS[members[0]["optimizer"]["name"]].rule(self._settings)
        self._names = slot_names(members[0])
        self._slots: update_rules.Slots = {name: torch.zeros_like(weights) for name in self._names if name != "step"}
        self._updates: npt.NDArray[np.float64] = np.zeros(len(members))

    def zero_grad(self) -> None:
        for parameter in self._parameters:
            parameter.grad = None

    @torch.no_grad()
    def step(self, participants: Participants = EVERY_MEMBER) -> None:
        """Update the participants. The weights, slots and step counts of other members do not change."""
        before = self._weights
        grad = flatten([parameter.grad for parameter in self._parameters])  # type: ignore[misc]
        numbers = [self._settings.column(each) for each in self._rule.numbers(self._updates + 1)]
        after, slots = self._rule(before, grad, self._slots, numbers)
        if participants.rows is ALL:
            self._updates += 1
        else:
            self._updates[participants.rows] += 1
            chosen = participants.mask
            after = torch.where(chosen, after, before)
            slots = {name: torch.where(chosen, slot, self._slots[name]) for name, slot in slots.items()}
        self._slots = slots
        before.copy_(after)

    def slots(self) -> dict[str, Tensor]:
        slots = dict(self._slots)
        if "step" in self._names:
            count = sum(parameter[0].numel() for parameter in self._parameters)
            slots["step"] = torch.from_numpy(self._updates.astype(np.int64)).unsqueeze(1).expand(-1, count)
        return slots

    def load_slots(self, slots: Mapping[str, Tensor]) -> None:
        self._slots = {name: slots[name].clone() for name in self._slots}
        if "step" in self._names:
            self._updates = slots["step"][:, 0].cpu().numpy().astype(np.float64)
