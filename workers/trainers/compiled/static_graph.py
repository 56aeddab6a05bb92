"""The torch stages with `execution: compiled` on a CPU: several steps as one program of torch.compile."""

from __future__ import annotations

from collections.abc import Sequence

from workers.trainers.compiled.graph_trainer import GraphTrainer
from workers.trainers.compiled.graphs import Inputs, Steps, compiled, of_any_width
from workers.trainers.contract import Member


class Trainer(GraphTrainer):
    """This process holds one program for packs of every width; torch also caches it on disk."""

    def __init__(self, members: Sequence[Member], device: str) -> None:
        super().__init__(members, device)
        of_any_width(self.rule, self.criterion)

    def prepare(self) -> None:
        """Compile the graph, by running it once without a step."""
        self.advance(self.inputs(0, 0))

    def advance(self, inputs: Inputs) -> Steps:
        steps = compiled(self.family.model, self.stride)
        done: Steps = steps(self.criterion, self.rule, self.weights, self.slots, self.basis, self.y, inputs)
        return done
