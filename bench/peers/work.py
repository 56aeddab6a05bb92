"""The job of a peer: the tutorial's loop in numpy for about a second, with a line in a ledger at start and end."""

import os

import numpy as np

STEPS = 45_000


def train(number: int, ledger: str) -> None:
    """Fit sin x by a cubic. ledger: the file to which lines are appended, each by one atomic write."""
    _write(ledger, f"start {number}\n")
    x = np.linspace(-np.pi, np.pi, 2000)
    y = np.sin(x)
    a, b, c, d = np.random.default_rng(number).standard_normal(4)
    for _ in range(STEPS + number):
        residual = a + b * x + c * x**2 + d * x**3 - y
        gradient = 2.0 * residual
        a -= 1e-6 * gradient.sum()
        b -= 1e-6 * (gradient * x).sum()
        c -= 1e-6 * (gradient * x**2).sum()
        d -= 1e-6 * (gradient * x**3).sum()
    _write(ledger, f"end {number}\n")


def _write(ledger: str, line: str) -> None:
    file = os.open(ledger, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    try:
        os.write(file, line.encode())
    finally:
        os.close(file)
