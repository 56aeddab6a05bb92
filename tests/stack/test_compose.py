"""docker-compose.yml is valid by the schema of the Compose specification, and its services are confined."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from tests.stack.compose_file import COMPOSE_FILE, HOUSE, VARIABLE, compose_file, instructions_of

pytestmark = pytest.mark.stack

SECRETS = {"GRADYARD_ADMIN_KEY", "POSTGRES_PASSWORD", "VALKEY_PASSWORD"}
OURS = {"migrate", "api", "worker-cpu", "worker-gpu"}
WORKERS = {"worker-cpu", "worker-gpu"}


@pytest.fixture
def services() -> dict[str, dict[str, Any]]:
    """The services of the file."""
    of_file: dict[str, dict[str, Any]] = compose_file()["services"]
    return of_file


def test_it_is_valid_by_the_compose_specification() -> None:
    assert refusals_of(COMPOSE_FILE) == ""


def test_a_key_that_compose_does_not_know_would_be_refused(tmp_path: Path) -> None:
    wrong = tmp_path / "docker-compose.yml"
    wrong.write_text(COMPOSE_FILE.read_text().replace("stop_grace_period", "stop_grace_periods"))
    assert "stop_grace_periods" in refusals_of(wrong)


def refusals_of(path: Path) -> str:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", str(path)]
    check = subprocess.run(command, capture_output=True, text=True, timeout=300)
    return "" if check.returncode == 0 else check.stdout + check.stderr


def test_only_the_api_is_published_and_on_loopback_alone(services: dict[str, Any]) -> None:
    published = {name: service["ports"] for name, service in services.items() if "ports" in service}
    assert published == {"api": ["127.0.0.1:8000:8000"]}
    assert not any("network_mode" in service for service in services.values())


def test_no_secret_has_a_default(services: dict[str, Any]) -> None:
    variables = {match["name"]: match["rest"] for match in VARIABLE.finditer(COMPOSE_FILE.read_text())}
    assert variables.keys() == SECRETS
    assert all(rest.startswith(":?") for rest in variables.values())
    written = [str(value) for service in services.values() for value in service.get("environment", {}).values()]
    assert not [value for value in written if re.search(r"//[^@]*:[^@$]+@", VARIABLE.sub("$", value))]


def test_a_secret_reaches_only_those_who_need_it_and_no_command_line(services: dict[str, Any]) -> None:
    holders = {name for name, service in services.items() if "GRADYARD_ADMIN_KEY" in service.get("environment", {})}
    assert holders == {"api"}
    assert not any(VARIABLE.search(str(service.get("command"))) for service in services.values())


def test_every_long_running_service_has_a_health_check_and_comes_back(services: dict[str, Any]) -> None:
    long_running = services.keys() - {"migrate"}
    assert {name for name, service in services.items() if "test" in service.get("healthcheck", {})} == long_running
    assert {services[name]["restart"] for name in long_running} == {"unless-stopped"}
    assert {services[name]["stop_grace_period"] for name in long_running} == {"15s"}
    assert services["migrate"]["restart"] == "no"


def test_api_and_workers_start_when_the_tables_are_there(services: dict[str, Any]) -> None:
    for name in OURS - {"migrate"}:
        assert services[name]["depends_on"]["migrate"] == {"condition": "service_completed_successfully"}
        assert services[name]["depends_on"]["valkey"] == {"condition": "service_healthy"}
    assert services["migrate"]["depends_on"]["postgres"] == {"condition": "service_healthy"}


def test_the_gpu_worker_holds_one_device_and_the_others_none(services: dict[str, Any]) -> None:
    holding = {name: service["deploy"] for name, service in services.items() if "deploy" in service}
    device = {"driver": "nvidia", "count": 1, "capabilities": ["gpu"]}
    assert holding == {"worker-gpu": {"resources": {"reservations": {"devices": [device]}}}}
    assert services["worker-gpu"]["profiles"] == ["gpu"]
    assert services["worker-gpu"]["command"] == ["gradyard", "worker", "--cpu-slots", "0"]
    assert services["worker-cpu"]["command"] == ["gradyard", "worker", "--gpus", "none"]


@pytest.mark.parametrize("name", sorted(OURS))
def test_our_containers_are_confined(services: dict[str, Any], name: str) -> None:
    service = services[name]
    assert (service["read_only"], service["init"], service["cap_drop"]) == (True, True, ["ALL"])
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service.get("volumes", []) == ([] if name == "migrate" else ["files:/var/lib/gradyard"])
    assert "user" not in service
    assert [line for line in instructions_of(service["build"]["target"]) if line.startswith("USER")] == [
        "USER gradyard"
    ]


def test_the_database_and_the_broker_keep_their_data(services: dict[str, Any]) -> None:
    assert services["postgres"]["volumes"] == ["postgres:/var/lib/postgresql"]
    assert services["valkey"]["volumes"] == ["valkey:/data"]
    assert compose_file()["volumes"].keys() == {"postgres", "valkey", "files"}
    folder = "--owner gradyard --group gradyard --mode 700 /var/lib/gradyard"  # a new volume has what the image has
    assert any(folder in line for line in instructions_of("api"))
    for name in OURS - {"migrate"}:
        assert services[name]["environment"]["GRADYARD_FILES_URL"] == "/var/lib/gradyard/files"


def test_the_api_image_installs_nothing_of_the_workers(services: dict[str, Any]) -> None:
    for name in OURS:
        target = services[name]["build"]["target"]
        installed = " ".join(line for line in instructions_of(target) if "pip install" in line)
        assert "-c constraints.txt" in installed
        assert "postgresql,files]" in installed
        assert ("worker" in installed) == (name in WORKERS)
        assert target == ("worker" if name in WORKERS else "api")


@pytest.mark.parametrize("target", ["api", "worker"])
def test_an_image_starts_its_program_without_a_shell(target: str) -> None:
    [command] = [line for line in instructions_of(target) if line.startswith("CMD")]
    assert re.fullmatch(r'CMD \["gradyard", .*"\]', command)


def test_the_build_sees_all_our_packages_and_nothing_else() -> None:
    lines = [line for line in (HOUSE / ".dockerignore").read_text().splitlines() if not line.startswith("#")]
    packages = tomllib.loads((HOUSE / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"]["find"][
        "include"
    ]
    assert lines[0] == "*"
    seen = {line.removeprefix("!") for line in lines if line.startswith("!")}
    assert seen == {name.rstrip("*") for name in packages} | {"pyproject.toml", "constraints.txt", "README.md"}
