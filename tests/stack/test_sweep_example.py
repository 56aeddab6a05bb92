"""The example of a sweep runs as a script and as a notebook, from submission to pictures, and both draw the same."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from bench.notebook import SCRIPT, notebook_of, ran
from tests.stack.service_processes import Service

pytestmark = [
    pytest.mark.stack,
    pytest.mark.filterwarnings("default"),  # those of other packages are theirs
    pytest.mark.parametrize("service", ["postgresql"], indirect=True),
]
DRAWN = {"sweep-heat-map.png", "sweep-curves.png", "sweep-two-jobs.png", "sweep-fit.png"}


def test_script_and_notebook_run_and_draw_the_same(
    service: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GRADYARD_URL", service.url)
    script, notebook = tmp_path / "script", tmp_path / "notebook"
    for folder in (script, notebook):
        folder.mkdir()
    environment = os.environ | {"MPLBACKEND": "Agg"}
    printed = subprocess.run(
        [sys.executable, str(SCRIPT)], cwd=script, env=environment, capture_output=True, text=True, check=True
    ).stdout
    assert "{'succeeded': 36, 'failed': 9}" in printed
    assert "0.00000 +0.85674 x" in printed  # its sign is that of a rounding, which differs between processors
    run = ran(notebook_of(SCRIPT.read_text()), notebook)
    shown = [each for cell in run.cells for each in cell.get("outputs", ())]
    assert "".join(each.text for each in shown if each.output_type == "stream") == printed
    assert sum("image/png" in each.get("data", {}) for each in shown) == len(DRAWN)
    for name in DRAWN:
        assert (script / "pictures" / name).read_bytes() == (notebook / "pictures" / name).read_bytes()
