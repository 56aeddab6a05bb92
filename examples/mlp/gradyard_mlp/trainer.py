"""The trainer: forward, loss, backward, update, for all members of a pack at once."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch

from gradyard.stages import Member, Stream, normals, torch_dtype, torch_rows

Array = np.ndarray[Any, Any]

HELD_OUT = 5  # one point of five is not trained on, but measured
NAMES = ("hidden.weight", "hidden.bias", "output.weight", "output.bias")


class Trainer:
    """Weights by name, (members, units, 1); units are `hidden` ones, or a single one for the output's bias.

    It uses no matrix product, whose rounding depends on the width of the pack. A product and a sum have the same bits
    in every pack.
    """

    def __init__(self, members: Sequence[Member], device: str) -> None:
        self.width, self.dtype, self.device = len(members), torch_dtype(members), device
        x, y = (torch.stack(rows).to(device).unsqueeze(1) for rows in torch_rows(members))  # (members or 1, 1, points)
        held_out = torch.arange(x.shape[-1]) % HELD_OUT == HELD_OUT - 1
        self.x, self.y = x[..., ~held_out].contiguous(), y[..., ~held_out].contiguous()
        self.x_held_out, self.y_held_out = x[..., held_out].contiguous(), y[..., held_out].contiguous()
        self.every: int = members[0]["measure_every"]
        self.learning_rate, self.momentum = (self._column(members, name) for name in ("learning_rate", "momentum"))
        self.weights = self._drawn(members)
        self.velocity = {name: torch.zeros_like(weight) for name, weight in self.weights.items()}
        self.ones = torch.ones(self.width, dtype=self.dtype, device=device)

    def step(self, t: int) -> torch.Tensor:
        weights = {name: weight.requires_grad_() for name, weight in self.weights.items()}
        # forward
        loss = self._loss(self.x, self.y)
        # backward
        grads = torch.autograd.grad(loss, list(weights.values()), self.ones)
        # update
        with torch.no_grad():
            for name, grad in zip(weights, grads, strict=True):
                self.velocity[name] = self.momentum * self.velocity[name] + grad
                self.weights[name] = weights[name].detach() - self.learning_rate * self.velocity[name]
        return loss.detach()

    def measure(self, t: int) -> dict[str, torch.Tensor]:
        with torch.no_grad():
            return {"held_out_loss": self._loss(self.x_held_out, self.y_held_out)}

    def _loss(self, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        """The mean squared error, (members,); 0 where there is no point."""
        into, shift, out, constant = (self.weights[name] for name in NAMES)
        y_pred = (out * torch.tanh(into * x + shift)).sum(1, keepdim=True) + constant  # (members, 1, points)
        return (y_pred - y).pow(2).sum(-1).squeeze(1) / max(1, x.shape[-1])

    def state(self) -> dict[str, Array]:
        velocity = {f"velocity.{name}": each for name, each in self.velocity.items()}
        return {name: _as_array(each) for name, each in (self.weights | velocity).items()}

    def load_state(self, arrays: Mapping[str, Array]) -> None:
        for held, prefix in ((self.weights, ""), (self.velocity, "velocity.")):
            for name in NAMES:
                values = arrays[prefix + name]
                if values.shape != held[name].shape[:2]:
                    raise ValueError(f"{prefix}{name} has shape {values.shape}, not {tuple(held[name].shape[:2])}")
                held[name] = torch.from_numpy(values.copy()).unsqueeze(-1).to(self.device)

    def arrays(self) -> dict[str, Array]:
        """The weights, which a job's `artifacts` then are."""
        return {name: _as_array(weight) for name, weight in self.weights.items()}

    def _drawn(self, members: Sequence[Member]) -> dict[str, torch.Tensor]:
        """Normal numbers that are a function of each member's seed, scaled by the units that are summed."""
        hidden = members[0]["hidden"]
        drawn = np.stack([normals(member["seed"], Stream.INITIAL_WEIGHTS, 3 * hidden) for member in members])
        into, shift, out = np.split(drawn[..., np.newaxis], 3, axis=1)
        starts = (into, shift, out / np.sqrt(hidden), np.zeros((len(members), 1, 1)))
        return {name: self._tensor(values) for name, values in zip(NAMES, starts, strict=True)}

    def _column(self, members: Sequence[Member], name: str) -> torch.Tensor:
        return self._tensor(np.array([float(member[name]) for member in members]).reshape(-1, 1, 1))

    def _tensor(self, values: Array) -> torch.Tensor:
        return torch.from_numpy(np.ascontiguousarray(values)).to(self.device, self.dtype)


def _as_array(tensor: torch.Tensor) -> Array:
    return tensor.detach().squeeze(-1).cpu().numpy().copy()
