"""The form of a submission: checked as one types, a sweep by several values, the same as programs, without scripts."""

import shlex
from itertools import pairwise
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import orjson
import pytest
from playwright.sync_api import Page, expect

from gradyard.cli.arguments.spec import spec_from
from gradyard.cli.arguments.sweep import axes_from
from gradyard.jobs.settings import Settings
from gradyard.store.database import Database
from tests.actors import submitted
from tests.browser.conftest import DESK, LOOKS, OpenPage, assert_open_to_all

pytestmark = pytest.mark.browser

WRONG = ("422",)  # a browser writes what it was refused to its console
Seeded = tuple[str, Database, Settings]


@pytest.fixture(scope="module")
def url(seeded: Seeded) -> str:
    """The address of the service."""
    return seeded[0]


def verdict(page: Page) -> Any:
    return expect(page.locator("#verdict"))


def test_a_file_is_uploaded_and_trained_on(open_page: OpenPage, url: str, tmp_path: Path) -> None:
    cars, broken = tmp_path / "cars, all.csv", tmp_path / "broken.csv"
    cars.write_text("speed,dist,maker\n" + "".join(f"{x},{x * x / 10},m\n" for x in range(1, 30)))
    broken.write_text("a,b\n1,2\n3\n")
    page = open_page("/files", viewport=DESK, expected=WRONG)
    page.get_by_label("From this machine").set_input_files([cars, broken])
    page.get_by_role("button", name="Upload").click()
    expect(page.get_by_role("alert")).to_contain_text("broken.csv: line 3")
    row = page.get_by_role("row", name="cars, all.csv")
    expect(row).to_contain_text("speed")
    row.get_by_role("link", name="Train on it").click()
    verdict(page).to_contain_text("Valid. Learning rate")
    page.get_by_role("button", name="Submit", exact=True).click()
    expect(page.get_by_role("heading", name="nn")).to_contain_text("queued")
    made = httpx.get(f"{url}/v1/jobs/{page.url.rpartition('/')[2].rstrip('?')}").json()["spec"]
    assert (made["dataset"]["x"], made["dataset"]["y"], made["scale"]) == ("speed", "dist", "standard")
    page.goto("/files")
    page.get_by_role("row", name="cars, all.csv").get_by_role("link", name="1", exact=True).click()
    expect(page.locator("table.jobs tbody tr")).to_have_count(1)


def options_of(command: str, name: str) -> list[str]:
    words = shlex.split(command.replace("\\\n", " "))
    return [value for word, value in pairwise(words) if word == name]


def test_a_job_is_checked_as_one_types_and_submitted(open_page: OpenPage, url: str) -> None:
    page = open_page("/submit?stage=optim", viewport=DESK)
    verdict(page).to_contain_text("Valid. Learning rate 0.001; least squares reaches a loss of 8.8172.")
    page.get_by_label("name", exact=True).locator("visible=true").nth(1).select_option("adam")
    beta = page.locator("[data-kind-name=adam]").get_by_label("beta1")
    beta.fill("7")
    expect(beta).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_text("must be less than 1, not 7")).to_be_visible()
    beta.fill("0.8")
    page.get_by_text("Name, tags, priority, device and more").click()
    page.locator("[data-path=name] input").fill("it's mine, all of it")
    page.locator("[data-path=tags] input").fill("week=3, course=ml")
    verdict(page).to_contain_text("Valid.")
    expect(beta).not_to_have_attribute("aria-invalid", "true")
    command = page.locator("#command-text").inner_text()
    typed = spec_from(None, options_of(command, "--stage")[0], options_of(command, "--set"))
    page.get_by_role("button", name="Submit", exact=True).click()
    expect(page.get_by_role("heading", name="it's mine, all of it")).to_contain_text("queued")
    made = httpx.get(f"{url}/v1/jobs/{page.url.rpartition('/')[2].rstrip('?')}").json()
    assert made["tags"] == {"week": "3", "course": "ml"}
    assert (made["spec"]["optimizer"]["name"], made["spec"]["optimizer"]["beta1"]) == ("adam", 0.8)
    again = httpx.post(f"{url}/v1/jobs?dry_run=true", json=typed).json()
    assert again["spec"] == made["spec"], "the command beside the form means the same job"


def test_several_values_make_a_sweep_and_its_programs_say_the_same(open_page: OpenPage, url: str) -> None:
    page = open_page("/submit?stage=nn", viewport=DESK)
    page.get_by_label("learning_rate").fill("1e-7, 1e-6, -1")
    expect(page.get_by_text("value 3: must be greater than 0")).to_be_visible()
    page.get_by_label("learning_rate").fill("1e-7, 1e-6")
    page.get_by_label("seed", exact=True).fill("0:10:2")
    for choice in ("float32", "float64"):
        page.locator("[data-path=dtype]").get_by_label(choice).check()
    verdict(page).to_have_text("Valid: 20 jobs.")
    body = orjson.loads(options_of(page.locator("#curl-text").inner_text(), "-d")[0])
    assert body["grid"] == {
        "learning_rate": [1e-7, 1e-6], "seed": {"start": 0, "stop": 10, "step": 2}, "dtype": ["float32", "float64"],
    }  # fmt: skip
    command = page.locator("#command-text").inner_text()
    assert axes_from(options_of(command, "--grid"), [], [])[0] == body["grid"]
    said: dict[str, Any] = {}
    python = page.locator("#python-text").inner_text().replace("from gradyard import Client", "")
    exec(python, {"Client": lambda _: type("Client", (), {"sweep": staticmethod(said.update)})})
    assert (said["stage"], said["grid"]["seed"]) == ("nn", range(0, 10, 2))
    page.get_by_role("button", name="Submit 20 jobs").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("batch")
    assert httpx.get(f"{url}/v1/batches").json()["batches"][0]["size"] == 20


def test_values_are_drawn_at_random_and_its_programs_say_the_same(open_page: OpenPage, url: str) -> None:
    page = open_page("/submit?stage=optim", viewport=DESK)
    expect(page.get_by_label("samples")).to_be_hidden()
    page.get_by_label("learning_rate").fill("1e-6..1e-2 log")
    page.locator("[data-kind-name=rmsprop]").get_by_label("momentum").fill("0 .. 1.5")
    page.get_by_label("seed", exact=True).fill("1, 2")
    verdict(page).to_contain_text("not valid")
    expect(page.locator("[data-kind-name=rmsprop]").get_by_label("momentum")).to_have_attribute("aria-invalid", "true")
    page.locator("[data-kind-name=rmsprop]").get_by_label("momentum").fill("0..0.9")
    verdict(page).to_have_text("Valid: 20 jobs.")
    page.get_by_label("samples").fill("3")
    page.get_by_label("random_seed").fill("7")
    verdict(page).to_have_text("Valid: 6 jobs.")
    body = orjson.loads(options_of(page.locator("#curl-text").inner_text(), "-d")[0])
    drawn: dict[str, dict[str, Any]] = {
        "learning_rate": {"low": 1e-6, "high": 1e-2, "scale": "log"},
        "optimizer.momentum": {"low": 0, "high": 0.9},
    }
    assert (body["random"], body["samples"], body["random_seed"], body["grid"]) == (drawn, 3, 7, {"seed": [1, 2]})
    command = page.locator("#command-text").inner_text()
    assert (options_of(command, "--samples"), options_of(command, "--random-seed")) == (["3"], ["7"])
    made = axes_from([], options_of(command, "--random"), [])[1]
    assert made == {name: {"scale": "linear", **each} for name, each in drawn.items()}
    said: dict[str, Any] = {}
    python = page.locator("#python-text").inner_text().replace("from gradyard import Client", "")
    exec(python, {"Client": lambda _: type("Client", (), {"sweep": staticmethod(lambda **sent: said.update(sent))})})
    assert (said["random"], said["samples"], said["random_seed"]) == (drawn, 3, 7)
    page.get_by_role("button", name="Submit 6 jobs").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("batch")
    made_of = {job["spec"]["learning_rate"] for job in httpx.get(f"{url}/v1/jobs?limit=6").json()["jobs"]}
    assert len(made_of) == 6


def test_an_operator_lets_a_job_go_before_others(open_page: OpenPage, url: str) -> None:
    page = open_page("/submit?stage=nn", viewport=DESK)
    page.get_by_text("Name, tags, priority, device and more").click()
    page.get_by_label("precedence").fill("101")
    expect(page.get_by_label("precedence")).to_have_attribute("aria-invalid", "true")
    page.get_by_label("precedence").fill("5")
    verdict(page).to_contain_text("Valid.")
    expect(page.locator("#curl-text")).to_contain_text("/v1/jobs?precedence=5")
    expect(page.locator("#python-text")).to_contain_text("precedence=5")
    expect(page.locator("#command-text")).to_contain_text("--precedence 5")
    page.get_by_role("button", name="Submit", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("queued")
    assert httpx.get(f"{url}/v1/jobs/{page.url.rpartition('/')[2].rstrip('?')}").json()["precedence"] == 5


def test_a_job_is_submitted_again_with_changes_and_another_stage_keeps_them(
    open_page: OpenPage, seeded: Seeded
) -> None:
    _, database, settings = seeded
    job: UUID = submitted(
        database, settings, name="first", steps=9, dataset={"kind": "inline", "x": [0, 1], "y": [1, 2]}
    )
    page = open_page(f"/jobs/{job}", viewport=DESK)
    page.get_by_role("link", name="Submit again with changes").click()
    expect(page.get_by_label("steps")).to_have_value("9")
    page.get_by_label("seed", exact=True).fill("5")
    page.locator("#stages a[data-stage=module]").click()
    expect(page.locator("#fields")).to_have_attribute("data-stage", "module")
    expect(page.get_by_label("seed", exact=True)).to_have_value("5")
    expect(page.locator("[data-path='dataset.x'] input >> visible=true")).to_have_value("0.0, 1.0")
    expect(page.locator("#curl-text")).to_contain_text('"dataset": {"kind": "inline", "x": [0, 1], "y": [1, 2]}')
    verdict(page).to_contain_text("Valid.")
    assert page.url.endswith("/submit?stage=module")
    page.get_by_role("button", name="Submit", exact=True).focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="first")).to_contain_text("queued")


@pytest.mark.parametrize("look", LOOKS)
def test_the_form_fits_has_no_serious_barrier_and_works_by_keys(open_page: OpenPage, url: str, look: str) -> None:
    page = open_page("/submit?stage=dynamic", **LOOKS[look])
    page.get_by_label("steps").fill("0")
    expect(page.get_by_text("must be at least 1")).to_be_visible()
    assert_open_to_all(page, look)
    page.locator("[data-path=execution] input").first.focus()
    page.keyboard.press("Space")
    expect(page.locator("#curl-text")).to_contain_text('"execution": "eager"')


def test_without_scripts_a_spec_is_submitted_as_json(open_page: OpenPage, url: str) -> None:
    page = open_page("/submit?stage=nn", java_script_enabled=False, expected=WRONG)
    expect(page.locator("#submit")).to_be_hidden()
    spec = page.get_by_label("A job, a sweep or a list of jobs, as JSON")
    spec.fill('{"stage": "nn", "steps": 0}')
    page.get_by_role("button", name="Submit").click()
    expect(page.get_by_role("alert")).to_contain_text("/steps must be at least 1")
    spec.fill('{"stage": "nn", "name": "plain"}')
    page.get_by_role("button", name="Submit").click()
    expect(page.get_by_role("heading", name="plain")).to_contain_text("queued")
