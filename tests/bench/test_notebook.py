"""The notebook in the repository is that of its script, with outputs; tests/stack runs both."""

import nbformat

from bench.notebook import NOTEBOOK, PICTURES, SCRIPT, notebook_of


def test_the_notebook_that_is_kept_is_that_of_the_script() -> None:
    kept = nbformat.read(NOTEBOOK, as_version=4)
    made = notebook_of(SCRIPT.read_text())
    assert [(cell.cell_type, cell.source) for cell in kept.cells] == [
        (cell.cell_type, cell.source) for cell in made.cells
    ], "run `make pictures`"
    assert all(cell.outputs or "def " in cell.source for cell in kept.cells[3:] if cell.cell_type == "code")
    drawn = {path.name for path in PICTURES.iterdir()}
    assert drawn == {f"sweep-{name}.png" for name in ("heat-map", "curves", "two-jobs", "fit")}
