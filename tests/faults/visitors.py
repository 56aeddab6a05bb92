"""Who else has a secret during a run: a browser that is signed in to the page, and a receiver of a webhook's messages.

Their work goes on while faults happen, so that the secrets pass through every process that reads them.
"""

import threading
import time
from contextlib import ExitStack, suppress

import httpx

from tests.faults.access import Access
from tests.workers.webhooks.receivers import Receiver, receiving

PAGES = ("/", "/jobs", "/jobs?state=failed")
VISIT_SECONDS = 2.0
READY_SECONDS = 60.0
COOKIE = "gradyard_session"


class Visitors:
    """A browser with a session of a key, and a receiver. `start` makes their secrets, `stop` ends their work."""

    def __init__(self, url: str, owner: Access) -> None:
        self._url, self._owner = url, owner
        self._stack, self._finished = ExitStack(), threading.Event()
        self._thread = threading.Thread(target=self._visit, name="visitors")
        self.receiver = Receiver()
        self.token = self.webhook_secret = ""

    @property
    def secrets(self) -> dict[str, str]:
        """Their secrets, by names for people."""
        return {"the cookie of a session of the page": self.token, "the secret of a webhook": self.webhook_secret}

    def start(self) -> None:
        """Sign in, make the webhook, and wait until one of its messages is on its way."""
        self._stack.enter_context(receiving(self.receiver))
        self._browser = self._stack.enter_context(httpx.Client(base_url=self._url, timeout=20.0, trust_env=False))
        signed_in = self._browser.post("/sign-in", data={"key": self._owner.key}, headers={"Origin": self._url})
        (self.token,) = (value for name, value in signed_in.cookies.items() if name.startswith(COOKIE))
        with httpx.Client(base_url=self._url, timeout=20.0, trust_env=False, headers=Access().headers) as owner:
            asked = {"url": self.receiver.url, "events": ["job.failed", "batch.finished"]}
            made = owner.post("/v1/webhooks", json=asked).raise_for_status().json()
            self.webhook_secret = made["secret"]
            owner.post(f"/v1/webhooks/{made['id']}/test").raise_for_status()
            self._until_tried(owner, f"/v1/webhooks/{made['id']}/deliveries")
        self._thread.start()

    def stop(self) -> None:
        """Ask for nothing more, and take no more messages."""
        self._finished.set()
        if self._thread.ident is not None:
            self._thread.join()
        self._stack.close()

    def _until_tried(self, owner: httpx.Client, deliveries: str) -> None:
        """A host in a network of its own does not reach the receiver; it has signed the message all the same."""
        give_up_at = time.monotonic() + READY_SECONDS
        while not any(each["tries"] for each in owner.get(deliveries).raise_for_status().json()["deliveries"]):
            if time.monotonic() > give_up_at:
                raise RuntimeError("no message of the webhook was sent")
            time.sleep(0.2)

    def _visit(self) -> None:
        visits = 0
        while not self._finished.wait(VISIT_SECONDS):
            with suppress(httpx.HTTPError):  # the API is away now and then
                self._browser.get(PAGES[visits % len(PAGES)])
            visits += 1
