"""The command run inside a test, away from the settings and the state of this machine."""

import io
import sys
from pathlib import Path

import pytest

from gradyard.cli import main
from tests.cli.command_for_tests import Ended, Run


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Run:
    for name in ("GRADYARD_URL", "GRADYARD_KEY", "GRADYARD_ADMIN_KEY", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("GRADYARD_STATE_DIR", str(tmp_path / "state"))

    def run_it(*arguments: str, stdin: str = "") -> Ended:
        monkeypatch.setattr(sys, "argv", ["gradyard", *arguments])
        monkeypatch.setattr(sys, "stdin", io.StringIO(stdin))
        with pytest.raises(SystemExit) as ended:
            main.main()
        printed = capsys.readouterr()
        assert isinstance(ended.value.code, int)
        return Ended(ended.value.code, printed.out, printed.err)

    return run_it
