"""The tutorial's loop of a stage as a script that imports only what it needs. gradyard is compared with it."""

import ast
import inspect
import subprocess
import sys
import time
from pathlib import Path

from gradyard.jobs.stages.registry import stage_named
from tests import tutorial_loops

START = {"a": 0.1, "b": -0.2, "c": 0.05, "d": 0.3}
FIXED_START = {"function": {"a": 0.0, "b": -1.0, "c": 0.0, "d": 0.3}}  # fixed by the tutorial


def write_script(stage: str, folder: Path) -> Path:
    """Write a script that runs the tutorial's loop of that stage with its defaults and prints the result."""
    loop = tutorial_loops.LOOPS[stage].__name__
    body = _needed_by(loop)
    imports = ["import math", "from typing import Any", "import numpy as np"]
    imports += ["import torch"] if "torch." in body else []
    defaults = stage_named(stage).defaults()
    start = FIXED_START.get(stage, START)
    call = f"losses, weights = {loop}({start}, {defaults['steps']}, {defaults['learning_rate']})"
    path = folder / f"stage_{stage}.py"  # never numpy.py, which would be imported in numpy's place
    path.write_text("\n".join([*imports, "Weights = Outcome = Any", body, call, "print(losses[-1], weights)"]) + "\n")
    return path


def run_script(path: Path) -> float:
    """Run the script as a process, and return the seconds from start to end. Raises CalledProcessError."""
    began = time.perf_counter()
    subprocess.run([sys.executable, str(path)], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began


def _needed_by(name: str) -> str:
    """The source of that function, and of all functions and classes of its module that it uses."""
    source = inspect.getsource(tutorial_loops)
    pieces = {
        piece.name: piece for piece in ast.parse(source).body if isinstance(piece, ast.FunctionDef | ast.ClassDef)
    }
    needed: set[str] = set()
    waiting = [name]
    while waiting:
        needed.add(current := waiting.pop())
        used = {each.id for each in ast.walk(pieces[current]) if isinstance(each, ast.Name)}
        waiting += (used & pieces.keys()) - needed
    return "\n\n".join(ast.unparse(piece) for each, piece in pieces.items() if each in needed)
