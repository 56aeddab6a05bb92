"""The two Clients: a gradyard service from Python."""

from typing import Self

from gradyard.client.batches import BatchRequests
from gradyard.client.definitions import Awaited, Blocking
from gradyard.client.files import FileRequests
from gradyard.client.jobs import JobRequests
from gradyard.client.live.watching import WatchRequests
from gradyard.client.operators.api_keys import KeyRequests
from gradyard.client.operators.audit import AuditRequests
from gradyard.client.operators.fleet import FleetRequests
from gradyard.client.operators.storage import StorageRequests
from gradyard.client.operators.webhooks import WebhookRequests
from gradyard.client.stages import StageRequests


class Client(
    JobRequests[Blocking], BatchRequests[Blocking], StageRequests[Blocking], FleetRequests[Blocking],
    KeyRequests[Blocking], StorageRequests[Blocking], AuditRequests[Blocking], WatchRequests[Blocking],
    WebhookRequests[Blocking], FileRequests[Blocking],
):  # fmt: skip
    """A gradyard service.

    url: the address of the service. Default: `GRADYARD_URL`, else the running stack of this machine's state folder,
    else http://127.0.0.1:8000.
    key: an API key, if the service asks for one. Default: `GRADYARD_KEY`, else `GRADYARD_ADMIN_KEY`, but only where
    the address is that of `GRADYARD_URL` or of the running stack: another may be another party's.
    project: another project than that of the key, by its name; for keys with the scope `operator`.
    retry_seconds: how long a request is sent again while the service is unreachable or busy. A submission that is sent
    again makes no second job: it carries an Idempotency-Key.
    reach_seconds: the same until the service has answered for the first time; 0 says at once that none is up. Default:
    `retry_seconds`.

    Every method raises Unreachable if no answer came in that time, RefusedByService if the service refused the request
    (JobNotFound if there is no such job), and AnswerNotUnderstood if the answer is not one of gradyard. Threads may
    share a Client. A pickled Client holds its address, and a key only where `key` was given: keep such a pickle secret.
    """

    blocks = True

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class AsyncClient(
    JobRequests[Awaited], BatchRequests[Awaited], StageRequests[Awaited], FleetRequests[Awaited],
    KeyRequests[Awaited], StorageRequests[Awaited], AuditRequests[Awaited], WatchRequests[Awaited],
    WebhookRequests[Awaited], FileRequests[Awaited],
):  # fmt: skip
    """A gradyard service, for programs with an event loop: the methods of Client, to be awaited or iterated over.

    `await client.submit(stage="nn")`, `async for job in client.jobs(state="failed")`. The arguments, answers and errors
    are those of Client. Tasks may share an AsyncClient; all of them in one event loop. A task that is cancelled
    closes the connection of its request at once; a submission may have arrived by then.

    url: the address of the service. Default: `GRADYARD_URL`, else the running stack of this machine's state folder,
    else http://127.0.0.1:8000.
    key: an API key, if the service asks for one. Default: `GRADYARD_KEY`, else `GRADYARD_ADMIN_KEY`, but only where
    the address is that of `GRADYARD_URL` or of the running stack.
    project: another project than that of the key, by its name; for keys with the scope `operator`.
    retry_seconds: how long a request is sent again while the service is unreachable or busy.
    reach_seconds: the same until the service has answered for the first time. Default: `retry_seconds`.
    """

    blocks = False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()
