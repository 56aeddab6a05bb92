"""Our own Redis: reachable by its password alone, durable, and rid of what it cannot read."""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import redis

from gradyard.local.embedded_redis import EmbeddedRedis, ask
from gradyard.local.stack_process import StackProcess
from gradyard.processes.children import Child


@pytest.fixture
def own(tmp_path: Path) -> EmbeddedRedis:
    return EmbeddedRedis(tmp_path / 'a "quoted" \\ folder, 100% *é[1]?\nof two lines')


@pytest.fixture
def server(own: EmbeddedRedis, tmp_path: Path) -> Iterator[Child]:
    child = Child("redis", own.configure(), log_path=tmp_path / "redis.log", input_path=own.configuration)
    part = StackProcess(child, lambda: ask(own.url, 0.5), 10)
    part.start()
    part.wait_until_ready(lambda: False)
    yield child
    child.kill()


@pytest.mark.usefixtures("server")
def test_no_client_gets_in_without_the_password(own: EmbeddedRedis) -> None:
    without = urlsplit(own.url)._replace(netloc=urlsplit(own.url).netloc.rpartition("@")[2]).geturl()
    said = ask(without, 1.0)
    assert said is not None
    assert "authenticated" in said
    assert urlsplit(own.url).hostname == "127.0.0.1"


def test_the_password_is_in_no_command_line_and_no_readable_file(server: Child, tmp_path: Path) -> None:
    [configuration] = tmp_path.rglob("redis.conf")
    assert configuration.stat().st_mode & 0o077 == 0
    password = next(line for line in configuration.read_text().splitlines() if line.startswith("requirepass")).split()[
        1
    ]
    assert password not in " ".join(server.command)
    assert password not in (tmp_path / "redis.log").read_text()


@pytest.mark.usefixtures("server")
def test_it_never_evicts_and_writes_what_it_holds(own: EmbeddedRedis) -> None:
    with redis.Redis.from_url(own.url) as client:
        assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}
        assert client.config_get("appendonly") == {"appendonly": "yes"}


def test_a_restart_keeps_the_url_and_what_was_held(own: EmbeddedRedis, server: Child) -> None:
    with redis.Redis.from_url(own.url) as client:
        client.set("bell", "rung")
    server.terminate()
    assert server.wait(10)
    part = StackProcess(server, lambda: ask(own.url, 0.5), 10)
    part.start()
    part.wait_until_ready(lambda: False)
    with redis.Redis.from_url(own.url) as client:
        assert client.get("bell") == b"rung"


def test_a_server_that_is_away_is_told_without_the_password() -> None:
    said = ask("redis://:hidden@127.0.0.1:1/0", 1.0)
    assert said is not None
    assert "hidden" not in said


def test_what_is_damaged_is_set_aside(own: EmbeddedRedis, tmp_path: Path) -> None:
    own.configure()
    [folder] = [path.parent for path in tmp_path.rglob("redis.conf")]
    for _ in range(2):
        (folder / "appendonlydir").mkdir()
        (folder / "appendonlydir" / "file").write_text("damaged")
        own.set_aside()
        assert not (folder / "appendonlydir").exists()
        assert (folder / "appendonlydir.damaged" / "file").exists()
