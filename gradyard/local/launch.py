"""The command lines and the environment of the processes that make up a stack."""

import os
import sys
import sysconfig
from pathlib import Path

from gradyard.jobs.access import open_without_a_key
from gradyard.jobs.settings import Settings, without_keys
from gradyard.local.errors import CannotStart

# Gunicorn puts the folder that it starts in on the import path, before ours. So it starts where our packages are, and
# never imports a `service/` or `migrations/` of the user's own.
API_FOLDER = Path(__file__).parents[2]
NEEDED_BY_REDIS = ("PATH", "HOME", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "TMPDIR", "TZ")
GRACEFUL_SECONDS = 3  # with gunicorn's default of 30, a stop would wait that long for every open stream


def api_command(settings: Settings, *, processes: int = 1) -> list[str]:
    """Gunicorn with the Flask application, on the settings' host and port; to be started in `API_FOLDER`."""
    command = [sys.executable, "-m", "gunicorn", "--bind", f"{_in_url(settings.host)}:{settings.port}"]
    command += ["--worker-class", "service.server.worker.Worker", "--workers", str(processes)]
    command += ["--threads", str(settings.api_threads)]
    command += ["--graceful-timeout", str(GRACEFUL_SECONDS), "--keep-alive", "30", "--no-control-socket"]
    command += ["--forwarded-allow-ips", ""]  # headers of a proxy are for the application to judge
    command += ["--config", "python:service.server.arbiter"]
    return [*command, "service.app:create_app()"]


def pool_command(
    cpu_slots: int | None, gpus: str | None, queues: str | None = None, pool: str | None = None,
    slots_per_gpu: int | None = None,
) -> list[str]:  # fmt: skip
    """The pool of this host's worker slots. For an option that is None the pool uses its own default."""
    command = [sys.executable, "-m", "workers.pool"]
    options = {"--cpu-slots": cpu_slots, "--gpus": gpus, "--queues": queues, "--pool": pool,
               "--slots-per-gpu": slots_per_gpu}  # fmt: skip
    for option, value in options.items():
        command += [] if value is None else [option, str(value)]
    return command


def maintenance_command() -> list[str]:
    """One maintenance loop."""
    return [sys.executable, "-m", "workers.maintenance"]


def api_environment(settings: Settings) -> dict[str, str]:
    """The environment of the API: that of the workers, and the administrator's key."""
    key = settings.admin_key.get_secret_value() if settings.admin_key else ""
    return worker_environment(settings) | ({"GRADYARD_ADMIN_KEY": key} if key else {})


def redis_environment() -> dict[str, str]:
    """The environment of a Redis server, which needs no secret: its password is in its configuration."""
    return {name: os.environ[name] for name in NEEDED_BY_REDIS if name in os.environ}


def worker_environment(settings: Settings) -> dict[str, str]:
    """This process's environment without keys, with `settings` in place of the variables that they came from."""
    return without_keys(os.environ) | {
        "DATABASE_URL": absolute(settings.database),
        "REDIS_URL": settings.broker,
        "GRADYARD_STATE_DIR": str(settings.state_dir.absolute()),
        **files_variable(settings),
        "GRADYARD_HOST": settings.host,
        "PORT": str(settings.port),
        **import_path(),
        "PYTHONUNBUFFERED": "1",  # a process that dies leaves its last lines in the log
    }


def settled(settings: Settings, port: int, state_dir: Path) -> Settings:
    """The settings of a stack: with the port that is free, its folder, and the place in it for larger files."""
    files = settings.files_url or str(state_dir / "files")
    return settings.model_copy(update={"port": port, "state_dir": state_dir, "files_url": files})


def files_variable(settings: Settings) -> dict[str, str]:
    """Where larger files are kept: as set, or in the state folder where the database is there as well."""
    own = str(settings.state_dir.absolute() / "files") if settings.database_url is None else None
    return {"GRADYARD_FILES_URL": url} if (url := settings.files_url or own) else {}


def import_path() -> dict[str, str]:
    """Variables that let every process import our packages, and never the current folder."""
    installed = str(API_FOLDER) in (sysconfig.get_path("purelib"), sysconfig.get_path("platlib"))
    earlier = [str(Path(each).absolute()) for each in os.environ.get("PYTHONPATH", "").split(os.pathsep) if each]
    paths = [*([] if installed else [str(API_FOLDER)]), *earlier]
    return {"PYTHONSAFEPATH": "1"} | ({"PYTHONPATH": os.pathsep.join(paths)} if paths else {})


def absolute(database_url: str) -> str:
    """A SQLite URL that means the same file from any folder; other URLs unchanged."""
    # imported here: SQLAlchemy takes a third of a second, and most commands do not need it
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        url = make_url(database_url)
    except (ArgumentError, ValueError):
        return database_url  # the database says what is wrong with it
    if url.get_backend_name() != "sqlite" or not url.database or url.database.startswith((":", "file:")):
        return database_url
    return url.set(database=str(Path(url.database).absolute())).render_as_string(hide_password=False)


def address(host: str, port: int) -> str:
    """The URL at which this machine reaches a service bound to `host`."""
    reachable = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}.get(host, host)
    return f"http://{_in_url(reachable)}:{port}"


def refuse_open_door(settings: Settings) -> None:
    """Raises CannotStart where other machines could use the service without a key."""
    if open_door := open_without_a_key(settings):
        raise CannotStart(f"the service needs a key, since {open_door}: set GRADYARD_ADMIN_KEY")


def _in_url(host: str) -> str:
    return f"[{host}]" if ":" in host else host
