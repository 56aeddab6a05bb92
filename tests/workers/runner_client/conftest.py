"""Runners that start at once, for tests of what a supervisor does with a runner."""

from pathlib import Path

import pytest

# Torch takes two seconds to load, has no part in most of these stories, and is asked for no more than this at a start.
LIGHT_TORCH = """
from types import SimpleNamespace

def set_num_threads(number): ...
def set_num_interop_threads(number): ...

autograd = SimpleNamespace(set_multithreading_enabled=lambda on: None)
backends = SimpleNamespace(cpu=SimpleNamespace(get_cpu_capability=lambda: "none"))
"""


@pytest.fixture
def quick_starts(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Runners load something light in the place of torch."""
    package = tmp_path / "light" / "torch"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text(LIGHT_TORCH)
    (package / "_dynamo.py").write_text("")
    monkeypatch.setenv("PYTHONPATH", str(package.parent), prepend=":")
