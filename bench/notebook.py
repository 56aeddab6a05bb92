"""Makes examples/sweep.ipynb of examples/sweep.py beside a service, with its outputs, and draws its pictures anew.

python -m bench.notebook     (needs the extras `pandas` and `plot`, nbclient, nbformat and ipykernel)
"""

import os
import re
import shutil
import tempfile
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient

EXAMPLES = Path(__file__).parents[1] / "examples"
SCRIPT, NOTEBOOK, PICTURES = EXAMPLES / "sweep.py", EXAMPLES / "sweep.ipynb", EXAMPLES / "pictures"
CELL = re.compile(r"^# %%( \[markdown\])?\n", re.MULTILINE)
READABLE = 0o644  # a stack leaves its process a umask for secrets
SECONDS = 300  # for one cell


def main() -> None:
    """Start a service, run the notebook, and keep it with what it drew. Equal programs leave equal bytes."""
    from bench.service import service

    with tempfile.TemporaryDirectory(prefix="gradyard-bench-") as folder, service(folder=Path(folder)) as client:
        os.environ["GRADYARD_URL"] = str(client.base_url)
        NOTEBOOK.write_text(nbformat.writes(ran(notebook_of(SCRIPT.read_text()), Path(folder))) + "\n")
        NOTEBOOK.chmod(READABLE)
        for picture in (Path(folder) / "pictures").iterdir():
            shutil.copyfile(picture, PICTURES / picture.name)
            (PICTURES / picture.name).chmod(READABLE)


def notebook_of(script: str) -> Any:
    """The notebook of a script whose cells begin with `# %%`, or with `# %% [markdown]` where they are text."""
    _, *parts = CELL.split(script)
    cells = []
    for number, (markdown, text) in enumerate(zip(parts[::2], parts[1::2], strict=True)):
        if markdown:
            cell = nbformat.v4.new_markdown_cell(re.sub("^# ?", "", text.strip(), flags=re.MULTILINE))
        else:
            cell = nbformat.v4.new_code_cell(text.strip())
        cell["id"] = f"cell-{number}"
        cells.append(cell)
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel, "language_info": {"name": "python"}})


def ran(notebook: Any, folder: Path) -> Any:
    """The notebook with its outputs, run in that folder. What it wrote to stderr, its progress, is left out."""
    where = {"metadata": {"path": str(folder)}}
    NotebookClient(notebook, timeout=SECONDS, kernel_name="python3", record_timing=False, resources=where).execute()
    for cell in notebook.cells:
        if "outputs" in cell:
            cell.outputs = [each for each in cell.outputs if each.get("name") != "stderr"]
    notebook.metadata.language_info = {"name": "python"}  # without the version of the kernel's Python
    return notebook


if __name__ == "__main__":
    main()
