"""The plan of the house: what each process loads, how large files are, and which words are gone."""

import ast
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

HOUSE = Path(__file__).parents[1]
PACKAGES = ("gradyard", "migrations", "service", "workers")
FILE_LINES = 200
FUNCTION_LINES = 25
FILES_SIDE_BY_SIDE = 16
PUBLIC_NAMES = 7
THEY_NAME_THEM = {"test_house.py", "test_docs.py"}
FORBIDDEN_NAMES = {"utils", "util", "helpers", "helper", "common", "shared", "core"}

# The left-hand words of the table "Words", as identifiers. Each pattern matches a whole identifier.
GONE = re.compile(
    r"Station|Stretch|Patience|Unsure|commit_soon|judgement|judged|Seats|Presence|Pulse|Pace|handover|say_over|settle"
    r"|worth_recording|take_in|Intake|Sums|TooMuch|Questions|WorkerFacts|Abilities|PlaceTaken|is_held|findings"
    r"|key_reused|key_invalid|too_many_keys|room_or_raise|storable|one_at_a_time|_spoken|identified|Kept|keep_arrays"
    r"|Lettered|Takers|TurningLoss|width_matters|side_by_side|put_apart|in_line|skipping_optimizer|Interrupts"
    r"|deaf|DEAF_SECONDS|GRADYARD_DEAF_SECONDS"
)


def test_the_api_does_not_load_torch() -> None:
    code = "import service.app, sys; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_main_celery_process_loads_neither_torch_nor_flask() -> None:
    load = "import workers.celery_side.app, workers.celery_side.tasks, sys"
    code = f"{load}; assert not {{'torch', 'flask'}} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_runner_loads_no_database_no_redis_and_no_flask() -> None:
    code = (
        "import workers.runner.main, workers.runner.training, sys; "
        "assert not {'sqlalchemy', 'redis', 'celery', 'kombu', 'flask', 'pydantic'} & set(sys.modules); "
        "ours = {name for name in sys.modules if name.startswith('gradyard')} - {'gradyard', 'gradyard.jobs'}; "
        "assert all(name.startswith('gradyard.jobs.numbers') for name in ours), ours"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def _modules() -> list[Path]:
    """Our modules, without the versions of the tables: a migration that ran somewhere is never changed."""
    paths = (path for package in PACKAGES for path in sorted((HOUSE / package).rglob("*.py")))
    return [path for path in paths if path.parent != HOUSE / "migrations" / "versions"]


def _name(path: Path) -> str:
    return str(path.relative_to(HOUSE))


def _functions(path: Path) -> Iterator[tuple[str, int]]:
    """Every function of a module with the lines that it has below its signature and docstring."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            body = node.body[1:] if ast.get_docstring(node, clean=False) is not None else node.body
            lines = node.end_lineno - body[0].lineno + 1 if body and node.end_lineno is not None else 0
            yield f"{_name(path)}: {node.name}", lines


def test_a_file_has_at_most_200_lines() -> None:
    paths = [*_modules(), *sorted((HOUSE / "service").rglob("*.js"))]
    lengths = {_name(path): len(path.read_text().splitlines()) for path in paths}
    assert {name: lines for name, lines in lengths.items() if lines > FILE_LINES} == {}


def test_a_function_has_at_most_25_lines_below_its_docstring() -> None:
    lengths = dict(found for path in _modules() for found in _functions(path))
    assert {name: lines for name, lines in lengths.items() if lines > FUNCTION_LINES} == {}


def test_a_folder_has_at_most_16_files_side_by_side() -> None:
    paths = [*_modules(), *(path for path in (HOUSE / "service" / "dashboard" / "parts").rglob("*") if path.is_file())]
    counts = Counter(_name(path.parent) for path in paths if path.name != "__init__.py")
    assert {name: count for name, count in counts.items() if count > FILES_SIDE_BY_SIDE} == {}


def test_nine_of_ten_files_have_at_most_seven_public_names() -> None:
    """A list of like things (errors, tables of a terminal, figures of a fleet) may have more; most files may not."""
    counts = {_name(path): _public_names(path) for path in _modules() if path.name != "__init__.py"}
    over = {name: count for name, count in counts.items() if count > PUBLIC_NAMES}
    assert len(over) <= len(counts) / 10, over


def _public_names(path: Path) -> int:
    """How many functions and classes a module has for others."""
    definitions = (
        each for each in ast.parse(path.read_text()).body if isinstance(each, ast.FunctionDef | ast.ClassDef)
    )
    return sum(not each.name.startswith("_") for each in definitions)


def test_no_folder_or_file_has_a_name_that_says_nothing() -> None:
    parts = {part.removesuffix(".py") for path in _modules() for part in path.relative_to(HOUSE).parts}
    assert parts & FORBIDDEN_NAMES == set()


@pytest.mark.parametrize("folder", [*PACKAGES, "tests", "bench", "examples"])
def test_no_identifier_or_text_is_a_word_that_is_gone(folder: str) -> None:
    paths = [path for path in sorted((HOUSE / folder).rglob("*.py")) if path.name not in THEY_NAME_THEM]
    words = re.compile(rf"(?<!\w)(?:{GONE.pattern})(?!\w)")
    found = {_name(path): sorted(set(words.findall(_without_prose(path)))) for path in paths}
    assert {name: identifiers for name, identifiers in found.items() if identifiers} == {}


def _without_prose(path: Path) -> str:
    """All identifiers and texts of a module, without its docstrings and comments."""
    tree = ast.parse(path.read_text())
    for node in ast.walk(tree):
        if not isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        if ast.get_docstring(node, clean=False) is not None:
            node.body[0] = ast.Pass()
    return ast.unparse(tree)
