"""The receiver of docs/webhooks.md, as it stands there."""

import re
import threading
from pathlib import Path

import pytest
from werkzeug.serving import make_server

from gradyard.jobs.webhooks.addresses import Reach
from gradyard.jobs.webhooks.signing import new_secret
from tests.store.webhooks.webhooks_for_tests import SECRET
from tests.workers.webhooks.receivers import a_try
from workers.webhooks.connection import trusted
from workers.webhooks.post import Post

PAGE = Path(__file__).parents[3] / "docs" / "webhooks.md"


def test_it_verifies_messages_and_does_each_once(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (code,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert len(code.splitlines()) < 20
    monkeypatch.setenv("SECRET", SECRET)
    names: dict[str, object] = {"__name__": "receiver"}
    exec(compile(code, str(PAGE), "exec"), names)
    server = make_server("127.0.0.1", 0, names["app"])  # type: ignore[arg-type]
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    post = Post(Reach.parse("http,127.0.0.0/8"), trusted(), try_seconds=60.0)
    url = f"http://127.0.0.1:{server.server_port}/gradyard"
    message = a_try(url)
    assert [post(message).status for _ in range(2)] == [204, 204]
    assert post(a_try(url, new_secret())).status == 500, "it is not ours"
    server.shutdown()
    thread.join()
    assert capsys.readouterr().out.count("webhook.test {'name': 'grün'}") == 1
