"""Several steps of a pack as one function for a static graph: forward, backward and update.

Compiling the forward pass alone gains nothing: what costs is that every operation goes through memory. In one graph
the loss and all gradients come out of a single loop over the points, and the weights never leave the registers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.func import grad_and_value

from workers.trainers.compiled.families import Model
from workers.trainers.losses.written_out import WrittenOutLoss
from workers.trainers.optimizers.update_rules import Rule, Slots

PROGRAMS = 256
"""Losses, optimizers, dtypes and forms of data that one process may compile a model for."""


class Inputs(NamedTuple):
    """What each step of a graph is given, its first axis the steps."""

    numbers: Sequence[Tensor]  # of the update rule, each (steps, members, 1 or coefficients)
    terms: Tensor | None  # (steps, members, 2): 1 where a member's polynomial has e x^4, and e x^5
    counts: Tensor  # (steps,) whether the step is done: the last graph of a segment may have steps to spare


class Steps(NamedTuple):
    """The result of some steps: the losses, (steps, members), and the weights and slots after them."""

    losses: Tensor
    weights: Tensor
    slots: Slots


def steps_of(model: Model, count: int) -> Callable[..., Steps]:
    """A function that does `count` steps of a pack, to be compiled or captured as a graph."""

    def steps(
        criterion: WrittenOutLoss, rule: Rule, weights: Tensor, slots: Slots, basis: Tensor, y: Tensor, inputs: Inputs
    ) -> Steps:
        losses = []
        for step in range(count):
            terms = None if inputs.terms is None else inputs.terms[step]

            def total(weights: Tensor, terms: Tensor | None = terms) -> tuple[Tensor, Tensor]:
                loss = criterion(model(weights, basis, terms) - y)
                return loss.sum(), loss

            grads, (_, loss) = grad_and_value(total, has_aux=True)(weights)
            after, new_slots = rule(weights, grads, slots, [each[step] for each in inputs.numbers])
            takes_part = inputs.counts[step]
            if terms is not None:  # without x^4 there is no gradient of e, and nothing of it moves
                has_e = terms[:, :1] > 0
                takes_part = takes_part & torch.cat([torch.ones_like(has_e).expand(-1, 4), has_e], dim=1)
            weights = torch.where(takes_part, after, weights)
            slots = {name: torch.where(takes_part, new_slots[name], slot) for name, slot in slots.items()}
            losses.append(loss)
        return Steps(torch.stack(losses), weights, slots)

    return steps


@cache
def compiled(model: Model, count: int) -> Any:
    """The graph of `count` steps. torch compiles a program for each loss, optimizer and dtype, for any width."""
    _never_give_up_silently()
    _multiply_and_add_at_once()
    return torch.compile(steps_of(model, count), dynamic=True, fullgraph=True)


def of_any_width(*holders: object) -> None:
    """Let one program serve every number of members of the tensors, (members, ...), that these objects hold."""
    from torch._dynamo import maybe_mark_dynamic

    for holder in holders:
        for value in vars(holder).values():
            if isinstance(value, Tensor):
                maybe_mark_dynamic(value, 0)


def _never_give_up_silently() -> None:
    """Raise an error after too many programs of one function; torch would run it uncompiled without a word."""
    from torch._dynamo import config

    config.recompile_limit, config.accumulated_recompile_limit = PROGRAMS, 16 * PROGRAMS
    config.fail_on_recompile_limit_hit = True


def _multiply_and_add_at_once() -> None:
    """Let the compiler use fused multiply-adds, which round once where two operations round twice: 1.3x as fast."""
    from torch._inductor import config

    config.cpp.enable_floating_point_contract_flag = "fast"
