"""For authors of stages: the conformance suite that every trainer must pass, the built-in ones included.

    from gradyard.testing import StageConformance


    class TestMlp(StageConformance):
        stage = "mlp"
        spec = {"hidden": 4, "dataset": {"kind": "function", "points": 50}}
        own_numbers = {"learning_rate": 0.003}

It needs pytest, the `worker` extra, and the installed package of the stage.
"""

from gradyard.testing.conformance import StageConformance

__all__ = ["StageConformance"]
