"""docker-compose.yml and the Dockerfile as tests read them, and a compose service as a process of this machine."""

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
    """The file with its anchors resolved and its variables as they are."""
    answer: dict[str, Any] = yaml.safe_load(COMPOSE_FILE.read_text())
    return answer


def filled_in(value: Any, variables: Mapping[str, str]) -> Any:
    """The value as Compose would read it with these variables set."""
    if isinstance(value, str):
        return VARIABLE.sub(lambda found: variables[found["name"]], value).replace("$$", "$")
    if isinstance(value, list):
        return [filled_in(each, variables) for each in value]
    if isinstance(value, dict):
        return {key: filled_in(each, variables) for key, each in value.items()}
    return value


def instructions_of(target: str) -> list[str]:
    """The Dockerfile's instructions that make this target, those of the stages below it first."""
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
    """Runs services of the file here: their own commands and environments, other hosts and ports.

    `elsewhere` says what stands in place of a host and port of the file; `home` is the processes' home folder.
    """

    variables: Mapping[str, str]
    elsewhere: Mapping[str, str]
    home: Path
    logs: Path
    more: Mapping[str, str] = field(default_factory=dict)

    def child(self, name: str) -> Child:
        """The service as a process, not yet started."""
        command = [self._here(word) for word in self._service(name)["command"]]
        return Child(name, command, self.environment(name), self.logs / f"{name}.log")

    def environment(self, name: str) -> dict[str, str]:
        """What the file gives the service, and of ours only where programs are, as an image would have it."""
        given = {key: self._here(value) for key, value in self._service(name).get("environment", {}).items()}
        programs = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
        return {"PATH": programs, "HOME": str(self.home), "TMPDIR": str(self.logs), **given, **self.more}

    def is_healthy(self, name: str) -> bool:
        """Whether the service's health check says so."""
        kind, *command = [self._here(word) for word in self._service(name)["healthcheck"]["test"]]
        if kind == "CMD-SHELL":
            command = ["sh", "-c", *command]
        check = subprocess.run(command, env=self.environment(name), cwd=self.home, capture_output=True, timeout=30)
        return check.returncode == 0

    def _service(self, name: str) -> dict[str, Any]:
        answer: dict[str, Any] = filled_in(compose_file()["services"][name], self.variables)
        return answer

    def _here(self, text: str) -> str:
        for there, here in self.elsewhere.items():
            text = re.sub(rf"(?<!\w){re.escape(there)}(?!\w)", here, text)
        return text
