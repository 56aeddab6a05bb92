"""openapi-python-client makes a client of the document without one warning; tests/stack uses it."""

import os
import subprocess
import sys
from pathlib import Path

import orjson
import pytest
from flask_openapi3.openapi import OpenAPI

from service.http.document.build import document

CONFIG = Path(__file__).parents[3] / "examples" / "generated_client.yaml"


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_client_is_generated_without_a_warning(app: OpenAPI, tmp_path: Path) -> None:
    (tmp_path / "openapi.json").write_bytes(orjson.dumps(document(app)))
    made = generated(tmp_path)
    assert made.returncode == 0, made.stdout + made.stderr
    assert (tmp_path / "client" / "gradyard_client" / "api" / "jobs" / "submit_job.py").exists()


def generated(folder: Path) -> subprocess.CompletedProcess[str]:
    """Run the generator on the document in the folder; warnings end it too."""
    command = [sys.executable, "-m", "openapi_python_client", "generate", "--path", "openapi.json"]
    command += ["--output-path", "client", "--config", str(CONFIG), "--fail-on-warning"]
    path = os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"]))  # it formats by ruff
    return subprocess.run(
        command, cwd=folder, capture_output=True, text=True, check=False, env=os.environ | {"PATH": path}
    )
