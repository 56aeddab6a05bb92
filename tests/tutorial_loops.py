# mypy: disable-error-code="operator, index, misc"
"""The tutorial's eight training loops, one job at a time, each written out in full: the oracle of the trainers.

Scalars are () tensors and powers are taken inside the loop; nothing here is ours but the names. Every loop takes the
initial weights by letter, the number of steps and the learning rate, and gives the loss of every step and the final
coefficients.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch

Weights = Mapping[str, float]
Outcome = tuple[np.ndarray, dict[str, float]]


def numpy_loop(weights: Weights, steps: int, learning_rate: float) -> Outcome:
    x = np.linspace(-math.pi, math.pi, 2000)
    y = np.sin(x)
    a, b, c, d = (np.float64(weights[letter]) for letter in "abcd")
    losses = []
    for _ in range(steps):
        y_pred = a + b * x + c * x**2 + d * x**3
        losses.append(np.square(y_pred - y).sum())
        grad_y_pred = 2.0 * (y_pred - y)
        grad_a = grad_y_pred.sum()
        grad_b = (grad_y_pred * x).sum()
        grad_c = (grad_y_pred * x**2).sum()
        grad_d = (grad_y_pred * x**3).sum()
        a -= learning_rate * grad_a
        b -= learning_rate * grad_b
        c -= learning_rate * grad_c
        d -= learning_rate * grad_d
    return np.array(losses), {"a": float(a), "b": float(b), "c": float(c), "d": float(d)}


def tensor_loop(weights: Weights, steps: int, learning_rate: float) -> Outcome:
    x, y = _tensors()
    a, b, c, d = (torch.tensor(weights[letter]) for letter in "abcd")
    losses = []
    for _ in range(steps):
        y_pred = a + b * x + c * x**2 + d * x**3
        losses.append((y_pred - y).pow(2).sum().item())
        grad_y_pred = 2.0 * (y_pred - y)
        grad_a = grad_y_pred.sum()
        grad_b = (grad_y_pred * x).sum()
        grad_c = (grad_y_pred * x**2).sum()
        grad_d = (grad_y_pred * x**3).sum()
        a -= learning_rate * grad_a
        b -= learning_rate * grad_b
        c -= learning_rate * grad_c
        d -= learning_rate * grad_d
    return np.array(losses), {"a": a.item(), "b": b.item(), "c": c.item(), "d": d.item()}


def autograd_loop(weights: Weights, steps: int, learning_rate: float) -> Outcome:
    x, y = _tensors()
    a, b, c, d = (torch.tensor(weights[letter], requires_grad=True) for letter in "abcd")
    losses = []
    for _ in range(steps):
        y_pred = a + b * x + c * x**2 + d * x**3
        loss = (y_pred - y).pow(2).sum()
        losses.append(loss.item())
        loss.backward()
        with torch.no_grad():
            for weight in (a, b, c, d):
                weight -= learning_rate * weight.grad
                weight.grad = None
    return np.array(losses), {"a": a.item(), "b": b.item(), "c": c.item(), "d": d.item()}


class _LegendrePolynomial3(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, z: torch.Tensor) -> torch.Tensor:
        ctx.save_for_backward(z)
        return 0.5 * (5 * z**3 - 3 * z)

    @staticmethod
    def backward(ctx: Any, grad_output: torch.Tensor) -> torch.Tensor:
        (z,) = ctx.saved_tensors
        return grad_output * 1.5 * (5 * z**2 - 1)


def function_loop(weights: Weights, steps: int, learning_rate: float) -> Outcome:
    x, y = _tensors()
    a, b, c, d = (torch.full((), weights[letter], requires_grad=True) for letter in "abcd")
    losses = []
    for _ in range(steps):
        y_pred = a + b * _LegendrePolynomial3.apply(c + d * x)
        loss = (y_pred - y).pow(2).sum()
        losses.append(loss.item())
        loss.backward()
        with torch.no_grad():
            for weight in (a, b, c, d):
                weight -= learning_rate * weight.grad
                weight.grad = None
    return np.array(losses), {"a": a.item(), "b": b.item(), "c": c.item(), "d": d.item()}


def nn_loop(weights: Weights, steps: int, learning_rate: float) -> Outcome:
    x, y = _tensors()
    xx = x.unsqueeze(-1).pow(torch.tensor([1, 2, 3]))
    model = _sequential(weights)
    loss_fn = torch.nn.MSELoss(reduction="sum")
    losses = []
    for _ in range(steps):
        y_pred = model(xx)
        loss = loss_fn(y_pred, y)
        losses.append(loss.item())
        model.zero_grad()
        loss.backward()
        with torch.no_grad():
            for parameter in model.parameters():
                parameter -= learning_rate * parameter.grad
    return np.array(losses), _linear_coefficients(model)


def optim_loop(weights: Weights, steps: int, learning_rate: float) -> Outcome:
    x, y = _tensors()
    xx = x.unsqueeze(-1).pow(torch.tensor([1, 2, 3]))
    model = _sequential(weights)
    loss_fn = torch.nn.MSELoss(reduction="sum")
    optimizer = torch.optim.RMSprop(model.parameters(), lr=learning_rate)
    losses = []
    for _ in range(steps):
        y_pred = model(xx)
        loss = loss_fn(y_pred, y)
        losses.append(loss.item())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return np.array(losses), _linear_coefficients(model)


class _Scalars(torch.nn.Module):
    def __init__(self, weights: Weights) -> None:
        super().__init__()
        for letter, value in weights.items():
            self.register_parameter(letter, torch.nn.Parameter(torch.tensor(value)))

    def coefficients(self) -> dict[str, float]:
        return {letter: parameter.item() for letter, parameter in self.named_parameters()}


class _Polynomial3(_Scalars):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.a + self.b * x + self.c * x**2 + self.d * x**3


def module_loop(weights: Weights, steps: int, learning_rate: float) -> Outcome:
    x, y = _tensors()
    model = _Polynomial3(weights)
    criterion = torch.nn.MSELoss(reduction="sum")
    optimizer = torch.optim.SGD(model.parameters(), lr=learning_rate)
    losses = []
    for _ in range(steps):
        y_pred = model(x)
        loss = criterion(y_pred, y)
        losses.append(loss.item())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return np.array(losses), model.coefficients()


class _DynamicNet(_Scalars):
    def forward(self, x: torch.Tensor, order: int) -> torch.Tensor:
        y = self.a + self.b * x + self.c * x**2 + self.d * x**3
        for exponent in range(4, order + 1):
            y += self.e * x**exponent
        return y


def dynamic_loop(weights: Weights, steps: int, learning_rate: float, orders: Sequence[int]) -> Outcome:
    """`orders` says of every step whether the polynomial ends with x^3, x^4 or x^5."""
    x, y = _tensors()
    model = _DynamicNet(weights)
    criterion = torch.nn.MSELoss(reduction="sum")
    optimizer = torch.optim.SGD(model.parameters(), lr=learning_rate, momentum=0.9)
    losses = []
    for order in orders[:steps]:
        y_pred = model(x, int(order))
        loss = criterion(y_pred, y)
        losses.append(loss.item())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return np.array(losses), model.coefficients()


LOOPS: Mapping[str, Callable[..., Outcome]] = {
    "numpy": numpy_loop,
    "tensor": tensor_loop,
    "autograd": autograd_loop,
    "function": function_loop,
    "nn": nn_loop,
    "optim": optim_loop,
    "module": module_loop,
    "dynamic": dynamic_loop,
}


def _tensors() -> tuple[torch.Tensor, torch.Tensor]:
    x = torch.linspace(-math.pi, math.pi, 2000)
    return x, torch.sin(x)


def _sequential(weights: Weights) -> torch.nn.Sequential:
    model = torch.nn.Sequential(torch.nn.Linear(3, 1), torch.nn.Flatten(0, 1))
    with torch.no_grad():
        model[0].bias.fill_(weights["a"])
        model[0].weight.copy_(torch.tensor([[weights["b"], weights["c"], weights["d"]]]))
    return model


def _linear_coefficients(model: torch.nn.Sequential) -> dict[str, float]:
    values = [model[0].bias.item(), *model[0].weight[0].tolist()]
    return dict(zip("abcd", values, strict=True))
