"""The environment, read once into one frozen object."""

import os
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote

from pydantic import AliasChoices, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from gradyard.jobs.errors import SettingsInvalid

MOST_MEMBERS = {"cpu": 512, "gpu": 4096}

CONVENTIONAL = {"DATABASE_URL", "REDIS_URL", "PORT", "LOG_LEVEL", "CUDA_VISIBLE_DEVICES"}


def default_state_dir() -> Path:
    """The folder of a local stack's database, logs and endpoint: in the XDG state folder."""
    return Path("~/.local/state/gradyard").expanduser()


class Settings(BaseSettings):
    """Every setting, its environment variable and its default; `docs/settings.md` explains each.

    Conventional names carry no prefix (`DATABASE_URL`, `REDIS_URL`, `PORT`, `LOG_LEVEL`), ours start with `GRADYARD_`.
    """

    model_config = SettingsConfigDict(env_prefix="GRADYARD_", frozen=True, extra="ignore", populate_by_name=True)

    # where things are
    database_url: SecretStr | None = Field(default=None, validation_alias=AliasChoices("DATABASE_URL", "database_url"))
    redis_url: SecretStr = Field(
        default=SecretStr("redis://127.0.0.1:6379/0"), validation_alias=AliasChoices("REDIS_URL", "redis_url")
    )
    state_dir: Path = Field(default_factory=default_state_dir)
    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=0, le=65535, validation_alias=AliasChoices("PORT", "port"))
    admin_key: SecretStr | None = None
    behind_proxy: bool = False  # believe the X-Forwarded-* headers of the one proxy before the service
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        default="INFO", validation_alias=AliasChoices("LOG_LEVEL", "log_level")
    )
    log_format: Literal["text", "json"] = "text"  # of workers and maintenance
    url: str | None = None  # of the service, for clients; without it, the stack of the state folder
    key: SecretStr | None = None  # of a client

    # what one request may ask for
    max_points: int = Field(default=1_000_000, ge=1)
    max_inline_points: int = Field(default=10_000, ge=1)
    max_steps: int = Field(default=10_000_000, ge=1)
    max_history_bytes: int = Field(default=64 * 2**20, ge=1)
    max_point_steps: int = Field(default=10**13, ge=1)
    max_queued_jobs: int = Field(default=200_000, ge=1)
    max_json_bytes: int = Field(default=2**20, ge=1)
    max_batch_bytes: int = Field(default=64 * 2**20, ge=1)
    max_batch_jobs: int = Field(default=100_000, ge=1)
    max_waiting_requests: int = Field(default=48, ge=1)
    api_threads: int = Field(default=64, ge=2)

    # how a running job is kept alive and stored
    lease_seconds: float = Field(default=15.0, gt=0)
    heartbeat_seconds: float = Field(default=2.0, gt=0)
    cancel_poll_seconds: float = Field(default=0.2, gt=0)
    segment_seconds: float = Field(default=0.2, gt=0)
    record_seconds: float = Field(default=5.0, gt=0)
    task_seconds: float = Field(default=60.0, gt=0)
    max_pack: int | None = Field(default=None, ge=1)
    allow_tf32: bool = False
    spare_runner: bool = True
    idle_runner_seconds: float = Field(default=600.0, gt=0)
    maintenance_seconds: float = Field(default=1.0, gt=0)
    not_receiving_seconds: float = Field(default=30.0, gt=0)
    idempotency_hours: float = Field(default=24.0, gt=0)
    bell_timeout_seconds: float = Field(default=0.5, gt=0)

    # what one worker process is; the pool sets these for its children
    slot: str | None = None
    device: Literal["cpu", "gpu"] = "cpu"
    device_uuid: str | None = None
    device_name: str | None = None
    device_memory_mib: int | None = None
    device_shared: bool = False  # with other slots
    cpus: tuple[int, ...] = ()
    pool: str | None = None
    visible_devices: str | None = Field(
        default=None, validation_alias=AliasChoices("CUDA_VISIBLE_DEVICES", "visible_devices")
    )
    fake_gpus: str | None = None  # an inventory for machines without a GPU: their runners compute on the CPU

    @property
    def database(self) -> str:
        """The database URL: `DATABASE_URL`, or SQLite in the state folder."""
        if self.database_url is not None:
            return self.database_url.get_secret_value()
        # as SQLAlchemy's URL.create writes it, which this package does not load; a folder's name may have any letter
        return "sqlite:///" + quote(os.fsencode(self.sqlite_file), safe=" +/")

    @property
    def sqlite_file(self) -> Path:
        """The database in the state folder, which is used where `DATABASE_URL` names none."""
        return self.state_dir / "gradyard.db"

    @property
    def torch_device(self) -> str:
        """The torch device of this worker's runners: "cuda", or "cpu", for a fake GPU as well."""
        return "cuda" if self.device == "gpu" and not self.fake_gpus else "cpu"

    @property
    def most_members(self) -> int:
        """The most members of a pack: `GRADYARD_MAX_PACK`, or the default for this kind of device."""
        return self.max_pack or MOST_MEMBERS[self.device]

    @property
    def broker(self) -> str:
        """The Redis URL that bells are rung through."""
        return self.redis_url.get_secret_value()


def load(**overrides: Any) -> Settings:
    """The settings of this process. Raises SettingsInvalid with one line: the variable, and what is wrong with it."""
    try:
        return Settings(**overrides)
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0]).upper() if first["loc"] else "SETTINGS"
        variable = name if name in CONVENTIONAL else f"GRADYARD_{name}"
        raise SettingsInvalid(f"{variable}: {first['msg']}") from None
