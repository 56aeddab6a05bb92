"""Packages as pip would have installed them, in a folder of a test's own."""

from pathlib import Path


def install(folder: Path, package: str, entry_points: str, **modules: str) -> None:
    """A distribution with the entry points (`name = module:attribute`) of gradyard's group, and its modules."""
    information = folder / f"{package.replace('-', '_')}-1.0.dist-info"
    information.mkdir(parents=True)
    (information / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
    (information / "entry_points.txt").write_text(f"[gradyard.stages]\n{entry_points}\n")
    for name, source in modules.items():
        (folder / f"{name}.py").write_text(source)


GOOD = """
from typing import Literal

from gradyard.jobs.specs.base import JobSpec
from gradyard.jobs.stages.stage import Stage


class Spec(JobSpec):
    stage: Literal["walk"]
    pace: float = 1.0


STAGE = Stage("walk", "Random walk", "one step after the other", Spec, "walk_trainer:Trainer")
"""
