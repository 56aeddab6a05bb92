"""What a prompt and a notebook show of a Client and of its answers."""

import asyncio
import copy
import math
import pickle
import re
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytest

from gradyard import (
    ApiKey,
    AsyncClient,
    Batch,
    Client,
    Job,
    NewApiKey,
    NewWebhook,
    RefusedByService,
    Unreachable,
    WaitTimeout,
)
from gradyard.client.http import peek
from gradyard.shapes import Progress
from gradyard.shapes.problems import FieldError
from gradyard.shapes.shown.cards import card_of
from gradyard.shapes.shown.sparkline import sparkline
from tests.client.service_for_tests import JOB_ID, Asked, FakeService, Said, answering, job, problem, result

HOSTILE = "<script>alert('x')</script>&\x1b[31m"
FAILED = job(state="failed", reason="diverged", message="not finite\nafter step 17", steps_done=17)
BATCH: dict[str, Any] = {
    "id": "0199c0de-0000-7000-8000-0000000000b1", "name": "rates", "size": 4, "state": "running",
    "counts": {"queued": 1, "succeeded": 2, "failed": 1},
    "failures": [{"reason": "diverged", "count": 1, "job": "x", "message": HOSTILE}],
}  # fmt: skip


@pytest.fixture(autouse=True)
def _answers_are_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(peek, "SECONDS", 60.0)


def respond(asked: Asked) -> Said:
    ended = job(state="succeeded", steps_done=2000, name=HOSTILE, tags={"a": HOSTILE}, result=result())
    answers: dict[str, Any] = {
        "/v1/losses": {"curves": [{"job": JOB_ID, "steps": [0, 1, 2], "losses": [9.0, None, 3.0]}]},
        "/v1/batches/b": BATCH, f"/v1/batches/{BATCH['id']}/best": {"jobs": [ended]},
        "/v1/jobs/best": {"jobs": [ended]},
        "/v1/workers": {"workers": [{"id": "w", "host": HOSTILE, "queue": "cpu", "state": "idle"}]},
    }  # fmt: skip
    return Said(200, answers.get(asked.path, ended))


def shown(ask: Callable[[Client], Any]) -> str:
    """The HTML of an answer, and that nothing of others is HTML in it."""
    with FakeService(respond).running() as service, Client(service.url) as client:
        html = str(ask(client)._repr_html_())
    assert "<script" not in html
    assert "\x1b" not in html
    return html


@pytest.mark.parametrize(
    ("fields", "line"),
    [
        (job(), "<Job 0199c0de-0000-7000 nn queued, 0 of 2,000 steps>"),
        (job(state="running", steps_done=500), "<Job 0199c0de-0000-7000 nn running, 500 of 2,000 steps>"),
        (job(state="succeeded", steps_done=2000, name="a b", result=result()),
         "<Job 0199c0de-0000-7000 nn 'a b' succeeded, 2,000 steps, loss 3>"),
        (FAILED, r"<Job 0199c0de-0000-7000 nn failed, 17 of 2,000 steps, diverged: not finite\u000aafter step 17>"),
        (job(waiting={"position": 3, "reason": "all slots train", "estimated_start_at": None}),
         "<Job 0199c0de-0000-7000 nn queued, 0 of 2,000 steps, all slots train>"),
    ],
)  # fmt: skip
def test_a_job_is_one_line(fields: dict[str, Any], line: str) -> None:
    assert repr(Job(**fields)) == str(Job(**fields)) == line


def test_a_long_name_is_cut_and_controls_nothing() -> None:
    line = repr(Job(**job(name="\x1b[31m" + "x" * 900)))
    assert len(line) < 140
    assert "\x1b" not in line


def test_a_batch_is_one_line() -> None:
    line = "<Batch 0199c0de-0000-7000 'rates' running, 3 of 4 jobs finished (2 succeeded, 1 failed)>"
    assert repr(Batch(**BATCH)) == line


def test_a_key_is_never_shown() -> None:
    fields = {"id": "k", "name": "ada", "project": "p", "hint": "gy_ab", "state": "live", "scopes": ()}
    made = NewApiKey.of(**fields, key="secret", expires_at=None, created_at=None)
    webhook = NewWebhook.of(id="w", secret="whsec_secret", url="https://there")
    assert "secret" not in repr(made) + made._repr_html_() + repr(webhook) + webhook._repr_html_()
    assert repr(ApiKey.of(**fields)).startswith("<ApiKey id='k' ")


@pytest.mark.parametrize(
    ("client", "line"),
    [
        (Client("http://there:1", "secret"), "Client('http://there:1')"),
        (Client("https://ada:secret@there", project="physics"), "Client('https://there', project='physics')"),
    ],
)
def test_a_client_shows_its_address_and_no_secret(client: Client, line: str) -> None:
    assert repr(client) == line


def test_a_job_is_a_card_with_its_curve() -> None:
    html = shown(lambda client: client.job("x"))
    assert re.search(r'<path d="M2\.0 2\.0 h0\.01 M148\.0 28\.0 h0\.01"', html)  # a gap where the loss is not finite
    assert "loss 3" in html
    assert "y = 1.0 + 2.0 x" in html


def test_a_batch_is_a_table_of_counts_and_its_best_jobs() -> None:
    html = shown(lambda client: client.batch("b"))
    assert "3 of 4 jobs finished" in html
    assert html.count("<rect ") == 3
    assert "<svg" in html[html.index("best") :]


def test_lists_are_tables() -> None:
    assert shown(lambda client: client.best()).count("<path") == 1
    assert "&lt;script&gt;" in shown(lambda client: client.workers())


def test_a_card_without_its_service_has_no_curve_and_no_error() -> None:
    with FakeService(respond).running() as service, Client(service.url) as client:
        seen = client.job("x")
    assert "<svg" not in seen._repr_html_()
    assert "<svg" not in Job(**job(steps_done=5))._repr_html_()


@pytest.mark.parametrize("values", [[], [None], [math.nan]])
def test_a_curve_without_a_value_is_not_drawn(values: list[float | None]) -> None:
    assert sparkline(list(range(len(values))), values) == ""


def test_a_wide_curve_is_logarithmic() -> None:
    drawn = sparkline([0, 1, 2], [1e6, 1e3, 1.0])
    assert "L75.0 15.0" in drawn
    assert "1e+06 to 1 over 3 steps, logarithmic" in drawn


def test_answers_may_be_in_sets_and_keys_of_dictionaries() -> None:
    with FakeService(respond).running() as service, Client(service.url) as client:
        one, again, batch = client.job("x"), client.job("x"), client.batch("b")
    assert {one, again, batch} == {one, batch}
    assert one == again == Job(**one.model_dump())
    assert one != Job(**job())


def test_answers_are_pickled_and_copied_without_the_key_of_their_client() -> None:
    with FakeService(respond).running() as service, Client(service.url, key="very-secret") as client:
        seen = [client.job("x"), client.batch("b"), client.best()]
    pickled = pickle.dumps(seen)
    assert b"very-secret" not in pickled
    assert pickle.loads(pickled) == seen
    assert copy.deepcopy(seen[0]) == seen[0]


def test_a_pickled_client_asks_the_same_service_with_a_key_that_was_given() -> None:
    with answering(Said(200, job())) as service:
        copied = pickle.loads(pickle.dumps(Client(service.url, key="given", retry_seconds=3)))
        assert copied.job("x").id == JOB_ID
        copied.close()
    assert service.asked[0].headers["Authorization"] == "Bearer given"


def test_a_key_of_the_environment_is_not_pickled_and_is_read_where_it_is_needed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("GRADYARD_STATE_DIR", str(tmp_path))
    monkeypatch.setenv("GRADYARD_URL", "http://there:1")
    monkeypatch.setenv("GRADYARD_KEY", "of-the-environment")
    pickled = pickle.dumps(Client())
    assert b"of-the-environment" not in pickled
    assert pickle.loads(pickled)._peek.key == "of-the-environment"
    assert pickle.loads(pickle.dumps(Client("http://there:1")))._peek.key is None  # as before it was pickled
    monkeypatch.setenv("GRADYARD_URL", "http://elsewhere:1")
    assert pickle.loads(pickled)._peek.key is None
    assert repr(pickle.loads(pickled)) == "Client('http://there:1')"


@pytest.mark.parametrize(
    "error",
    [
        Unreachable("http://there:1", "connection refused"), WaitTimeout(Job(**job()), 5.0),
        WaitTimeout(Batch(**BATCH), 5),
        RefusedByService(422, "title", "detail", (FieldError(pointer="/x", message="m"),)),
    ],
    ids=lambda error: type(error).__name__,
)  # fmt: skip
def test_an_error_comes_whole_out_of_another_process(error: Exception) -> None:
    copied = pickle.loads(pickle.dumps(error))
    assert (type(copied), str(copied), vars(copied)) == (type(error), str(error), vars(error))


def _ask(client: Client) -> str:
    return client.job("x").id


@pytest.mark.filterwarnings("ignore:.*use of fork:DeprecationWarning")  # which is what is tried here
@pytest.mark.parametrize("way", ["spawn", "fork"])
def test_processes_share_a_client(way: str) -> None:
    with FakeService(lambda _: Said(200, job())).running() as service, Client(service.url) as client:
        assert client.job("x").id == JOB_ID  # a connection is kept open, which a fork would have as well
        with ProcessPoolExecutor(2, mp_context=get_context(way)) as pool:
            assert list(pool.map(_ask, [client] * 8)) == [JOB_ID] * 8


def test_a_refusal_stays_a_refusal_for_the_card() -> None:
    with FakeService(respond).running() as service, Client(service.url) as client:
        seen = client.job("x")
        service.respond = lambda _: problem(401, "The key is not valid")
        assert "<svg" not in seen._repr_html_()


def test_the_name_of_a_field_of_a_later_version_is_escaped() -> None:
    answer = Progress.model_validate(
        {"job": "x", "state": "running", "attempt": 1, "steps": 1, "steps_done": 0, "<script>": "now"}
    )
    assert "<script>" not in card_of(answer)
    assert "&lt;script&gt;" in card_of(answer)


@pytest.mark.parametrize(
    "curves", [{"curves": [{"steps": [1]}]}, {"curves": 7}, {"curves": [3]}, {"curves": [{"job": 1, "steps": "x"}]}, []]
)
def test_a_card_beside_a_wrong_answer_is_shown_without_its_curve(curves: Any) -> None:
    ended = job(state="succeeded", steps_done=2000, result=result())
    with FakeService(lambda asked: Said(200, curves if asked.path == "/v1/losses" else ended)).running() as service:
        html = str(Client(service.url).job("x")._repr_html_())
    assert "succeeded" in html
    assert "<svg" not in html


def test_a_card_waits_for_no_answer_that_drips(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(peek, "SECONDS", 1.0)
    lengthy = {"Content-Length": "1000"}  # and then little of it, for ever
    ended = job(state="succeeded", steps_done=2000, result=result())
    with FakeService(lambda asked: Said(200, b"{", lengthy) if "losses" in asked.path else Said(200, ended)).running(
    ) as service:  # fmt: skip
        assert "<svg" not in str(Client(service.url).job("x")._repr_html_())


def listed(asked: Asked) -> Said:
    """Twelve jobs, or as many of them as are asked for."""
    if asked.path == "/v1/losses":
        return Said(200, {"curves": []})
    jobs = [job(id=f"{each}<b>", name="mine") for each in range(min(12, int(asked.params["limit"])))]
    return Said(200, {"jobs": jobs, "next_cursor": None})


def test_an_iterator_over_jobs_says_what_it_is_and_a_notebook_shows_its_first_rows() -> None:
    with FakeService(listed).running() as service, Client(service.url) as client:
        found = client.jobs(state="failed", limit=11)
        assert repr(found) == f"<iterator over jobs of {service.url} state='failed' limit=11>"
        assert service.asked == []
        html = found._repr_html_()  # type: ignore[attr-defined]
        assert (html.count("mine"), "the first 10" in html, "<b>" in html) == (10, True, False)
        assert service.asked[0].params == {"state": "failed", "limit": "10"}
        assert [each.id for each in found] == [f"{each}<b>" for each in range(11)], "none of them was taken"
        assert next(found, None) is None


def test_an_iterator_over_jobs_is_shown_alike_by_an_async_client() -> None:
    async def shown(url: str) -> tuple[str, str, int]:
        async with AsyncClient(url) as client:
            found: Any = client.jobs()
            words, html = repr(found), await asyncio.to_thread(found._repr_html_)
            return words, html, len([each async for each in found])

    with FakeService(listed).running() as service:
        words, html, count = asyncio.run(shown(service.url))
    assert words == f"<iterator over jobs of {service.url}>"
    assert (html.count("mine"), count) == (10, 12)


def test_an_iterator_of_a_service_that_is_away_is_shown_by_its_words() -> None:
    found: Any = Client("http://127.0.0.1:9").batches()
    assert found._repr_html_() == "<div>&lt;iterator over batches of http://127.0.0.1:9&gt;</div>"


def test_an_iterator_that_is_closed_asks_for_no_more() -> None:
    with FakeService(listed).running() as service, Client(service.url) as client:
        found = client.jobs()
        next(found)
        found.close()
        assert list(found) == []
