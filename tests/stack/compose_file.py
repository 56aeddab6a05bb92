"""Reads docker-compose.yml and the Dockerfile for tests, and runs a compose service as a process of this machine."""

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from gradyard.processes.children import Child

HOUSE = Path(__file__).parents[2]
COMPOSE_FILE = HOUSE / "docker-compose.yml"
VARIABLE = re.compile(r"\$\{(?P<name>\w+)(?P<rest>[^}]*)\}")


def compose_file() -> dict[str, Any]:
    """The content of docker-compose.yml, with anchors resolved and variables not replaced."""
    answer: dict[str, Any] = yaml.safe_load(COMPOSE_FILE.read_text())
    return answer


def filled_in(value: Any, variables: Mapping[str, str]) -> Any:
    """The value with these variables filled in, as Compose does it."""
    if isinstance(value, str):
        return VARIABLE.sub(lambda match: variables[match["name"]], value).replace("$$", "$")
    if isinstance(value, list):
        return [filled_in(each, variables) for each in value]
    if isinstance(value, dict):
        return {key: filled_in(each, variables) for key, each in value.items()}
    return value


def instructions_of(target: str) -> list[str]:
    """The instructions of the Dockerfile that make this target, beginning with those of the stages it builds on."""
    stages: dict[str, tuple[str, list[str]]] = {}
    name = ""
    for line in (HOUSE / "Dockerfile").read_text().splitlines():
        if line.startswith("FROM "):
            _, below, _, name = line.split()
            stages[name] = (below, [line])
        elif line and not line.startswith("#"):
            stages[name][1].append(line)
    below, lines = stages[target]
    return (instructions_of(below) if below in stages else []) + lines


@dataclass
class ComposeProcesses:
    """Runs services of the file as processes here, with their own commands and environments.

    elsewhere: for each host or port of the file, what replaces it here. home: the home folder of the processes.
    """

    variables: Mapping[str, str]
    elsewhere: Mapping[str, str]
    home: Path
    logs: Path
    more: Mapping[str, str] = field(default_factory=dict)

    def child(self, name: str) -> Child:
        """The service as a process that is not started yet."""
        command = [self._here(word) for word in self._service(name)["command"]]
        return Child(name, command, self.environment(name), self.logs / f"{name}.log")

    def environment(self, name: str) -> dict[str, str]:
        """The service's environment from the file, and the PATH, HOME and TMPDIR that an image would set."""
        given = {key: self._here(value) for key, value in self._service(name).get("environment", {}).items()}
        programs = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
        return {"PATH": programs, "HOME": str(self.home), "TMPDIR": str(self.logs), **given, **self.more}

    def is_healthy(self, name: str) -> bool:
        """Whether the service's health check succeeds."""
        kind, *command = [self._here(word) for word in self._service(name)["healthcheck"]["test"]]
        if kind == "CMD-SHELL":
            command = ["sh", "-c", *command]
        check = subprocess.run(command, env=self.environment(name), cwd=self.home, capture_output=True, timeout=300)
        return check.returncode == 0

    def _service(self, name: str) -> dict[str, Any]:
        answer: dict[str, Any] = filled_in(compose_file()["services"][name], self.variables)
        return answer

    def _here(self, text: str) -> str:
        for there, here in self.elsewhere.items():
            text = re.sub(rf"(?<!\w){re.escape(there)}(?!\w)", here, text)
        return text
