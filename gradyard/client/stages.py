"""Requests of the Client for stages."""

from functools import cached_property
from urllib.parse import quote

from gradyard.client.base import BaseClient
from gradyard.client.definitions import K, Noun, asks, verb
from gradyard.client.identities import StageLike, stage_name
from gradyard.shapes import RefusedPlugin, Stage, StageWithSchema


class StageRequests(BaseClient[K]):
    """List stages, and fetch one with its parameters."""

    @cached_property
    def stages(self) -> "Stages[K]":
        """The stages. `client.stages()` lists them, `client.stages.get(name)` is `client.stage(name)`."""
        return Stages(self)

    @asks
    async def refused_stages(self) -> list[RefusedPlugin]:
        """The stages of installed packages that the service does not offer, and the reason for each."""
        answer = await self._transport.ask_json("GET", "/v1/stages")
        return self._many(RefusedPlugin, {"refused": [], **answer}, "refused")  # an older service names none

    @asks
    async def stage(self, stage: StageLike) -> StageWithSchema:
        """One stage, with the JSON Schema of its parameters."""
        path = f"/v1/stages/{quote(stage_name(stage), safe='')}"
        return self._one(StageWithSchema, await self._transport.ask_json("GET", path))


class Stages(Noun[K]):
    """The stages that a service offers. Called, it lists them; `get` takes the name of one."""

    get = verb(StageRequests.stage)

    @asks
    async def __call__(self) -> list[Stage]:
        """The stages that the service offers."""
        client = self._client
        return client._many(Stage, await client._transport.ask_json("GET", "/v1/stages"), "stages")
