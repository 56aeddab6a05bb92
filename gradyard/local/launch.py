"""The command lines and the environment of the processes that make up a stack."""

import os
import sys
import sysconfig
from pathlib import Path

from gradyard.jobs.settings import Settings
from gradyard.local.errors import CannotStart

GRACEFUL_SECONDS = 3  # gunicorn's default of 30 would be waited for with every open stream


def api_command(settings: Settings, *, processes: int = 1, working_folder: Path | None = None) -> list[str]:
    """Gunicorn with the Flask application, on the settings' host and port.

    working_folder: gunicorn puts it on the import path, so it should hold no packages; None: the present one.
    """
    command = [sys.executable, "-m", "gunicorn", "--bind", f"{_in_url(settings.host)}:{settings.port}"]
    command += ["--worker-class", "gthread", "--workers", str(processes), "--threads", str(settings.api_threads)]
    command += ["--graceful-timeout", str(GRACEFUL_SECONDS), "--keep-alive", "30", "--no-control-socket"]
    if working_folder is not None:
        command += ["--chdir", str(working_folder)]
    return [*command, "service.app:create_app()"]


def pool_command(
    cpu_slots: int | None, gpus: str | None, queues: str | None = None, pool: str | None = None,
    slots_per_gpu: int | None = None,
) -> list[str]:  # fmt: skip
    """The pool of this host's worker slots, with the options that were given; the pool knows the defaults."""
    command = [sys.executable, "-m", "workers.pool"]
    given = {"--cpu-slots": cpu_slots, "--gpus": gpus, "--queues": queues, "--pool": pool,
             "--slots-per-gpu": slots_per_gpu}  # fmt: skip
    for option, value in given.items():
        command += [] if value is None else [option, str(value)]
    return command


def maintenance_command() -> list[str]:
    """One maintenance loop."""
    return [sys.executable, "-m", "workers.maintenance"]


def environment(settings: Settings) -> dict[str, str]:
    """Our own environment, with what `settings` says in place of what stood there."""
    return os.environ | {
        "DATABASE_URL": absolute(settings.database),
        "REDIS_URL": settings.broker,
        "GRADYARD_STATE_DIR": str(settings.state_dir),
        "GRADYARD_HOST": settings.host,
        "PORT": str(settings.port),
        **import_path(),
        "PYTHONUNBUFFERED": "1",  # the last words of a process that dies are the ones to read
    }


def import_path() -> dict[str, str]:
    """What lets every process import our packages, and no folder named service or workers where it was started."""
    house = Path(__file__).parents[2]
    installed = str(house) in (sysconfig.get_path("purelib"), sysconfig.get_path("platlib"))
    before = os.environ.get("PYTHONPATH")
    paths = [str(house), *([before] if before else [])]
    return {"PYTHONSAFEPATH": "1"} | ({} if installed else {"PYTHONPATH": os.pathsep.join(paths)})


def absolute(database_url: str) -> str:
    """A SQLite URL that means the same file from any folder; other URLs as they are."""
    scheme, slashes, path = database_url.partition(":///")
    if not scheme.startswith("sqlite") or not slashes or path.startswith((":", "file:")) or not path:
        return database_url
    return f"{scheme}:///{Path(path).absolute()}"


def address(host: str, port: int) -> str:
    """The URL at which this machine reaches a service bound to `host`."""
    reachable = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}.get(host, host)
    return f"http://{_in_url(reachable)}:{port}"


def refuse_open_door(settings: Settings) -> None:
    """CannotStart where the service would listen to other machines without asking anybody for a key."""
    from ipaddress import ip_address

    try:
        loopback = settings.host == "localhost" or ip_address(settings.host).is_loopback
    except ValueError:
        loopback = False
    if not loopback and not settings.admin_key:
        raise CannotStart(
            f"--host {settings.host} is open to other machines: set GRADYARD_ADMIN_KEY, so that keys are asked for"
        )


def _in_url(host: str) -> str:
    return f"[{host}]" if ":" in host else host
