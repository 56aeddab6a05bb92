"""Tables on a terminal: a wide one shows one line for each row, a narrow one a block of lines, and nothing is cut."""

import pytest
from rich.console import Console
from rich.table import Table

from gradyard.cli import terminal
from gradyard.cli.tables import queues_table, workers_table
from gradyard.shapes import Queue, Worker


def _worker() -> Worker:
    return Worker.model_validate({"id": "1", "host": "node-7", "slot": "cpu-0", "queue": "cpu", "state": "idle"})


def _printed(table: Table, width: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> str:
    def console(*, stderr: bool = False) -> Console:
        return Console(width=width, force_terminal=True, no_color=True, highlight=False)

    monkeypatch.setattr(terminal, "console", console)
    terminal.print_table(table)
    return capsys.readouterr().out


def test_a_narrow_terminal_shows_every_figure_of_a_worker(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = _printed(workers_table([_worker(), _worker()]), 60, monkeypatch, capsys)
    assert lines.count("node-7") == lines.count("cpu-0") == 2
    assert "…" not in lines
    assert max(map(len, lines.splitlines())) <= 60


def test_a_wide_terminal_shows_one_line_for_each_row(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    queues = [Queue.model_validate({"name": name}) for name in ("cpu", "gpu")]
    lines = _printed(queues_table(queues), 120, monkeypatch, capsys).splitlines()
    assert sum("cpu" in line for line in lines) == sum("gpu" in line for line in lines) == 1
    assert not any("cpu" in line and "gpu" in line for line in lines)
