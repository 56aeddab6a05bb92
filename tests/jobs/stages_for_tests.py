"""Stages that say by which metric their best jobs are chosen, as those of plug-ins may."""

from dataclasses import replace

import pytest

from gradyard.jobs.stages.registry import STAGES
from gradyard.jobs.stages.stage import Mode


def with_aims(monkeypatch: pytest.MonkeyPatch, **aims: tuple[str, Mode]) -> None:
    """Give stages a metric and a mode of their own, for one test."""
    for name, (metric, mode) in aims.items():
        monkeypatch.setitem(STAGES, name, replace(STAGES[name], metric=metric, mode=mode))
