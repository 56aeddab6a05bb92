"""Requests of the Client for stages."""

from functools import cached_property
from urllib.parse import quote

from gradyard.client.base import BaseClient
from gradyard.shapes import RefusedPlugin, Stage, StageWithSchema


class Stages:
    """The stages that a service offers. Called, it lists them; `get` takes the name of one."""

    def __init__(self, client: "StageRequests") -> None:
        self._client = client
        self.get = client.stage

    def __call__(self) -> list[Stage]:
        """The stages that the service offers."""
        return self._client._many(Stage, self._client._transport.ask_json("GET", "/v1/stages"), "stages")


class StageRequests(BaseClient):
    """List stages, and fetch one with its parameters."""

    @cached_property
    def stages(self) -> Stages:
        """The stages. `client.stages()` lists them, `client.stages.get(name)` is `client.stage(name)`."""
        return Stages(self)

    def refused_stages(self) -> list[RefusedPlugin]:
        """The stages of installed packages that the service does not offer, and the reason for each."""
        answer = self._transport.ask_json("GET", "/v1/stages")
        return self._many(RefusedPlugin, {"refused": [], **answer}, "refused")  # an older service names none

    def stage(self, name: str) -> StageWithSchema:
        """One stage, with the JSON Schema of its parameters."""
        return self._one(StageWithSchema, self._transport.ask_json("GET", f"/v1/stages/{quote(name, safe='')}"))
