"""Runs the blocks of docs/analysis.md beside a service, and draws its pictures anew.

python -m bench.analysis     (needs the extras `arrow`, `pandas` and `plot`, and duckdb)
"""

import contextlib
import os
import re
import shutil
import tempfile
from pathlib import Path
from typing import Any

PAGE = Path(__file__).parents[1] / "docs" / "analysis.md"
PICTURES = ("curves.png", "reached.png")
BLOCK = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)


def main() -> None:
    """Start a service, run the page, and keep what it drew."""
    from bench.service import service

    with tempfile.TemporaryDirectory(prefix="gradyard-bench-") as folder, service(folder=Path(folder)) as client:
        os.environ["GRADYARD_URL"] = str(client.base_url)
        os.environ["DATABASE_URL"] = f"sqlite:///{folder}/gradyard.db"
        run_page(Path(folder))
        pictures = PAGE.parent / PAGE.stem
        pictures.mkdir(exist_ok=True)
        for name in PICTURES:
            shutil.copy(Path(folder) / name, pictures / name)


def run_page(folder: Path) -> dict[str, Any]:
    """Run the page's Python from top to bottom in that folder, and return the names that it leaves."""
    namespace: dict[str, Any] = {}
    with contextlib.chdir(folder):
        for number, block in enumerate(BLOCK.findall(PAGE.read_text()), 1):
            exec(compile(block, f"{PAGE.name}, block {number}", "exec"), namespace)
    namespace["client"].close()
    namespace["engine"].dispose()
    return namespace


if __name__ == "__main__":
    main()
