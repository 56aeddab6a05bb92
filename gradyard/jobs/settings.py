"""The environment, read once into one frozen object."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote

from pydantic import AliasChoices, Field, SecretStr, ValidationError, field_validator
from pydantic_core import PydanticCustomError
from pydantic_settings import BaseSettings, SettingsConfigDict

from gradyard.jobs.errors import SettingsInvalid
from gradyard.jobs.storage import LARGEST, MOST_DAYS, RetentionRule
from gradyard.jobs.webhooks.addresses import Reach

MOST_MEMBERS = {"cpu": 512, "gpu": 4096}
MOST_KEY_REQUESTS, MOST_PROJECT_REQUESTS = 1_000, 5_000  # in ten seconds
NEAR_REDIS = SecretStr("redis://127.0.0.1:6379/0")
BROKERS = ("redis://", "rediss://", "redis+socket://")
KEYS = {"GRADYARD_ADMIN_KEY", "GRADYARD_KEY"}
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
    redis_url: SecretStr = Field(default=NEAR_REDIS, validation_alias=AliasChoices("REDIS_URL", "redis_url"))
    state_dir: Path = Field(default_factory=default_state_dir)
    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=0, le=65535, validation_alias=AliasChoices("PORT", "port"))
    admin_key: SecretStr | None = None
    page: bool = True  # whether the API serves the page at /
    page_idle_hours: float = Field(default=12.0, gt=0, le=8760, allow_inf_nan=False)  # until a session of it ends
    behind_proxy: bool = False  # believe the X-Forwarded-* headers of the one proxy before the service
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        default="INFO", validation_alias=AliasChoices("LOG_LEVEL", "log_level")
    )
    log_format: Literal["text", "json"] = "text"  # of workers and maintenance
    files_url: str | None = None  # where files over 1 MiB are kept: a folder that all hosts see, or s3://BUCKET/PREFIX
    url: str | None = None  # of the service, for clients; without it, the stack of the state folder
    key: SecretStr | None = None  # of a client

    # what one request may ask for
    max_points: int = Field(default=1_000_000, ge=1)
    max_inline_points: int = Field(default=10_000, ge=1)
    max_steps: int = Field(default=10_000_000, ge=1)
    max_history_bytes: int = Field(default=64 * 2**20, ge=1)
    max_point_steps: int = Field(default=10**13, ge=1)
    max_json_bytes: int = Field(default=2**20, ge=1)
    max_batch_bytes: int = Field(default=64 * 2**20, ge=1)
    max_batch_jobs: int = Field(default=100_000, ge=1)
    max_file_bytes: int = Field(default=64 * 2**20, ge=1)
    max_waiting_requests: int = Field(default=1000, ge=1)
    max_streams: int = Field(default=2000, ge=1)
    api_threads: int = Field(default=64, ge=2)
    max_exports: int = Field(default=16, ge=1)

    # what a key and a project may ask for; requests in ten seconds, 0 for any number
    max_key_requests: int | None = Field(default=None, ge=0)
    max_project_requests: int | None = Field(default=None, ge=0)
    max_queued_jobs: int = Field(default=200_000, ge=1)
    max_key_queued_jobs: int = Field(default=0, ge=0)
    max_stored_bytes: int | None = Field(default=None, ge=1)

    # how long what has ended is kept; the first three where a project has no rule of its own
    retention_days: float | None = Field(default=None, gt=0, le=MOST_DAYS, allow_inf_nan=False)
    retention_jobs: int | None = Field(default=None, ge=1, le=LARGEST)
    retention_bytes: int | None = Field(default=None, ge=1, le=LARGEST)
    deleted_ids_days: float = Field(default=90.0, gt=0, allow_inf_nan=False)
    unused_file_days: float = Field(default=7.0, gt=0, le=MOST_DAYS, allow_inf_nan=False)  # after its upload
    max_deleted_ids: int = Field(default=1_000_000, ge=1, le=LARGEST)

    # where the messages of webhooks may go beyond public addresses over https, and how long they are kept
    webhook_allow: str = ""
    webhook_days: float = Field(default=30.0, gt=0, le=MOST_DAYS, allow_inf_nan=False)
    max_webhook_messages: int = Field(default=10_000, ge=1, le=LARGEST)

    # how a running job is kept alive and stored
    lease_seconds: float = Field(default=15.0, gt=0)
    heartbeat_seconds: float = Field(default=2.0, gt=0)
    cancel_poll_seconds: float = Field(default=0.2, gt=0)
    segment_seconds: float = Field(default=0.2, gt=0)
    record_seconds: float = Field(default=5.0, gt=0)
    task_seconds: float = Field(default=60.0, gt=0)
    max_pack: int | None = Field(default=None, ge=1)
    allow_tf32: bool = False
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

    @field_validator("redis_url")
    @classmethod
    def _is_a_guarded_broker(cls, url: SecretStr) -> SecretStr:
        """Celery knows other brokers, which workers/celery_side/guarded_transport.py does not guard."""
        if not all(each.startswith(BROKERS) for each in url.get_secret_value().split(";") if each):
            raise PydanticCustomError("broker", f"must begin with {BROKERS[0]}, {BROKERS[1]} or {BROKERS[2]}")
        return url

    @field_validator("webhook_allow")
    @classmethod
    def _is_a_reach(cls, text: str) -> str:
        Reach.parse(text)
        return text

    @property
    def webhook_reach(self) -> Reach:
        """Where messages of webhooks may go."""
        return Reach.parse(self.webhook_allow)

    @property
    def most_key_requests(self) -> int:
        """The most requests of one key in ten seconds; 0: any number, the default where no key is needed."""
        return self._where_keys_are_needed(MOST_KEY_REQUESTS, self.max_key_requests)

    @property
    def most_project_requests(self) -> int:
        """The most requests of one project in ten seconds; 0: any number, the default where no key is needed."""
        return self._where_keys_are_needed(MOST_PROJECT_REQUESTS, self.max_project_requests)

    @property
    def retention_rule(self) -> RetentionRule:
        """Which ended jobs a project keeps that has no rule of its own."""
        return RetentionRule(self.retention_days, self.retention_jobs, self.retention_bytes)

    def _where_keys_are_needed(self, default: int, given: int | None) -> int:
        return given if given is not None else default if self.admin_key else 0

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


def without_keys(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment of a process that is neither the API nor a client: it needs no key of HTTP."""
    return {name: value for name, value in environment.items() if name.upper() not in KEYS}


def load(**overrides: Any) -> Settings:
    """The settings of this process. Raises SettingsInvalid with one line: the variable, and what is wrong with it."""
    try:
        return Settings(**overrides)
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0]).upper() if first["loc"] else "SETTINGS"
        variable = name if name in CONVENTIONAL else f"GRADYARD_{name}"
        raise SettingsInvalid(f"{variable}: {first['msg']}") from None
