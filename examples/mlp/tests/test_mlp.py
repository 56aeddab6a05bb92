"""The stage keeps every promise of the built-in ones: `pytest` here, once gradyard[worker] and this are installed."""

from gradyard.testing import StageConformance


class TestMlp(StageConformance):
    stage = "mlp"
    spec = {"hidden": 4, "dataset": {"kind": "function", "points": 101}}
    own_numbers = {"learning_rate": 0.05, "momentum": 0.8}
