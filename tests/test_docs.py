"""Docs that fail the build: what the code has, the docs name; what they link to, is there."""

import re
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import typer

from gradyard.cli.main import app as command
from gradyard.jobs.settings import Settings, load
from gradyard.jobs.stages.device_estimate import gpu_thresholds
from gradyard.jobs.stages.device_speeds import COMPILED_SPEEDS, EAGER
from gradyard.jobs.stages.registry import STAGES
from gradyard.jobs.states import Reason, State
from service.app import create_app

HOUSE = Path(__file__).parents[1]
LINK = re.compile(r"\]\(([^)\s]+)\)")
CODE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
LINE_LENGTH = 120
# What users once read, and read no longer: see the table "Words" of the house's style.
GONE = re.compile(
    r"said nothing|its story|[Hh]ands? in\b|[Hh]ands? out\b|told (?:this )?once|no tick|\bdeaf\b|DEAF_SECONDS"
    r"|\bbecause`|(?<!idempotency_)key_reused|(?<!api_)key_invalid|too_many_keys|gradyard-faults|take turns"
    r"|\b(?:[Ss]omebody|[Nn]obody|[Aa]nybody|[Ww]hoever)\b"
)


def _pages() -> list[Path]:
    folders = (HOUSE / folder for folder in ("bench", "docs", "examples"))
    return sorted([*HOUSE.glob("*.md"), *(page for folder in folders for page in folder.rglob("*.md"))])


@cache
def _page(name: str) -> str:
    return (HOUSE / "docs" / name).read_text()


def _variables() -> Iterator[str]:
    for name, field in Settings.model_fields.items():
        alias: Any = field.validation_alias
        yield alias.choices[0] if alias is not None else f"GRADYARD_{name.upper()}"


def _commands(group: Any, before: str = "gradyard") -> Iterator[str]:
    """Every command as it is typed, those of a group included."""
    for name, found in getattr(group, "commands", {}).items():
        inner = list(_commands(found, f"{before} {name}"))
        yield from inner or [f"{before} {name}"]


def _options(group: Any) -> Iterator[tuple[str, str]]:
    """Every option's long name, with the command that has it."""
    for name, found in getattr(group, "commands", {}).items():
        yield from _options(found)
        yield from ((name, option) for each in found.params for option in each.opts if option.startswith("--"))


def _routes(folder: Path) -> list[tuple[str, str]]:
    """Method and path of every route, as `service.app` has them."""
    settings = load(database_url=f"sqlite:///{folder / 'never-opened.db'}", redis_url="redis://127.0.0.1:1/0",
                    admin_key=None, host="127.0.0.1", state_dir=folder)  # fmt: skip
    rules = create_app(settings).url_map.iter_rules()
    automatic = {"HEAD", "OPTIONS"}
    return [(method, rule.rule) for rule in rules for method in (rule.methods or set()) - automatic]


def _missing(names: Iterable[str], text: str) -> list[str]:
    """Those names that do not stand in the text as words of their own."""
    return [name for name in names if not re.search(rf"(?<![\w/]){re.escape(name)}(?![\w/])", text)]


def test_every_stage_is_explained_and_listed_in_the_readme() -> None:
    rows = [f"| `{name}` |" for name in STAGES]
    assert [row for row in rows if row not in _page("stages.md")] == []
    assert [row for row in rows if row not in (HOUSE / "README.md").read_text()] == []


def test_the_speeds_that_choose_a_device_are_shown_as_they_are() -> None:
    rows = []
    for stage, (cpu, gpu) in EAGER.items():
        figures = f"{cpu.step_us:g} | {cpu.member_us:g} | {gpu.step_us:,g} | {gpu.member_us:g}"
        rows.append(f"| `{stage}` | {figures} | {_known(gpu.measured)} |")
    for (device, engine), each in COMPILED_SPEEDS.items():
        figures = f"{each.step_us:g} | {each.alone_us:g} | {each.member_us:g}"
        rows.append(f"| `{engine}` | {device} | {figures} | {_known(each.measured)} |")
    assert [row for row in rows if row not in _page("stages.md")] == []


def _known(measured: bool) -> str:
    return "measured" if measured else "estimated"


def test_it_is_shown_from_how_much_work_on_a_gpu_pays() -> None:
    rows = set()
    for stage in EAGER:
        for each in gpu_thresholds(STAGES[stage]):
            engine = "" if each.execution == each.gpu_engine else f" (`{each.gpu_engine}`)"
            name = f"`{stage}`" if each.execution == "eager" else "all of these"
            at_once = f"{each.points_at_once:,}" if each.points_at_once else "any number"
            rows.add(f"| {name} | `{each.execution}`{engine} | {at_once} | {each.point_steps:,} |")
    assert [row for row in sorted(rows) if row not in _page("stages.md")] == []


def test_every_parameter_of_every_stage_is_explained() -> None:
    parameters = {name for stage in STAGES.values() for name in stage.spec.model_fields}
    assert _missing([f"`{name}`" for name in parameters - {"stage"}], _page("stages.md")) == []


def test_every_setting_is_explained() -> None:
    assert _missing([f"| `{variable}` |" for variable in _variables()], _page("settings.md")) == []


def test_no_setting_is_explained_that_there_is_not() -> None:
    explained = re.findall(r"^\| `([A-Z0-9_]+)` \|", _page("settings.md"), re.MULTILINE)
    assert sorted(explained) == sorted(_variables())


def test_every_route_is_explained(tmp_path: Path) -> None:
    text = _page("http.md")
    pages = [(method, path) for method, path in _routes(tmp_path) if not path.startswith("/docs/")]
    assert [f"{method} {path}" for method, path in pages if f"`{method} {path}`" not in text] == []
    parts = [path for _, path in _routes(tmp_path) if path.startswith("/docs/")]
    assert _missing([f"`{path}`" for path in parts], text) == []


def test_no_route_is_explained_that_there_is_not(tmp_path: Path) -> None:
    headings = re.findall(r"^## (.*)$", _page("http.md"), re.MULTILINE)
    explained = [
        tuple(route.split(" ", 1)) for heading in headings for route in re.findall(r"`([A-Z]+ /[^`]*)`", heading)
    ]
    assert [route for route in explained if route not in _routes(tmp_path)] == []


def test_every_command_is_explained() -> None:
    explained = re.findall(r"`(gradyard [^`]*)`", _page("command.md"))
    commands = list(_commands(typer.main.get_command(command)))
    assert commands
    assert [name for name in commands if not any(f"{each} ".startswith(f"{name} ") for each in explained)] == []


def test_every_option_is_explained() -> None:
    options = {option for _, option in _options(typer.main.get_command(command))}
    assert [option for option in sorted(options) if not re.search(rf"{option}(?![\w-])", _page("command.md"))] == []


def test_every_state_and_every_reason_is_explained() -> None:
    text = _page("states.md")
    assert [state for state in State if f"**{state}**" not in text] == []
    assert [reason for reason in Reason if f"| `{reason}` |" not in text] == []


@pytest.mark.parametrize("page", _pages(), ids=lambda page: str(page.relative_to(HOUSE)))
def test_every_relative_link_leads_somewhere(page: Path) -> None:
    links = [link for link in LINK.findall(CODE.sub("", page.read_text())) if "://" not in link]
    assert [link for link in links if not _leads_somewhere(page, link)] == []


def _leads_somewhere(page: Path, link: str) -> bool:
    path, _, anchor = link.partition("#")
    target = (page.parent / path).resolve() if path else page
    if not target.exists():
        return False
    return not anchor or anchor in map(_anchor, re.findall(r"^#+ (.*)$", target.read_text(), re.MULTILINE))


def _anchor(heading: str) -> str:
    """A heading's fragment, as Git hosts make them."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


@pytest.mark.parametrize("page", _pages(), ids=lambda page: str(page.relative_to(HOUSE)))
def test_prose_is_broken_at_120_characters(page: Path) -> None:
    lines = CODE.sub("", page.read_text()).splitlines()
    assert [line for line in lines if len(line) > LINE_LENGTH and not line.startswith("|")] == []


@pytest.mark.parametrize("page", _pages(), ids=lambda page: str(page.relative_to(HOUSE)))
def test_no_page_has_a_word_that_is_gone(page: Path) -> None:
    if page.name != "CHANGELOG.md":  # it says what names were before
        assert GONE.findall(page.read_text()) == []


def test_every_test_that_the_page_on_security_names_is_there() -> None:
    named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", _page("security.md"))
    assert len(named) > 40
    assert [f"{file}::{test}" for file, test in named if not _has_test(HOUSE / file, test)] == []


def _has_test(file: Path, test: str) -> bool:
    return file.exists() and f"def {test}(" in file.read_text()


def test_every_decision_is_in_the_index() -> None:
    pages = {page.name for page in (HOUSE / "docs" / "decisions").glob("0*.md")}
    assert pages == set(LINK.findall(_page("decisions/README.md")))


def test_the_make_targets_that_the_docs_name_are_there() -> None:
    targets = set(re.findall(r"^([a-z-]+):.*##", (HOUSE / "Makefile").read_text(), re.MULTILINE))
    blocks = "\n".join(CODE.findall((HOUSE / "README.md").read_text()))
    assert {"demo", "test"} <= set(re.findall(r"^make ([a-z-]+)", blocks, re.MULTILINE))
    for page in _pages():
        assert [
            name for name in re.findall(r"(?:^|`)make ([a-z-]+)", page.read_text(), re.M) if name not in targets
        ] == []
