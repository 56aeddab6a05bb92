"""The page of recipes does what it says: its blocks run from top to bottom beside a service, and draw its pictures."""

import contextlib
import io
from pathlib import Path

import pytest

from bench.analysis import PAGE, PICTURES, run_page
from tests.stack.service_processes import Service

pytestmark = [pytest.mark.stack, pytest.mark.filterwarnings("default")]  # those of other packages are theirs


def test_the_blocks_of_the_page_run_from_top_to_bottom(
    service: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GRADYARD_URL", service.url)
    monkeypatch.setenv("DATABASE_URL", service.environment["DATABASE_URL"])
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        namespace = run_page(tmp_path)
    assert len(namespace["jobs"]) == 40
    assert namespace["reached"]["jobs"].tolist() == [8] * 5
    assert len(namespace["history"]) >= 40
    assert "rmsprop" in printed.getvalue()
    for name in PICTURES:
        assert (tmp_path / name).stat().st_size > 10_000
        assert f"(analysis/{name})" in PAGE.read_text()
        assert (PAGE.parent / "analysis" / name).stat().st_size > 10_000
