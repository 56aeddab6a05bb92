"""The Client: a gradyard service from Python."""

from gradyard.client.api_keys import KeyRequests
from gradyard.client.batches import BatchRequests
from gradyard.client.fleet import FleetRequests
from gradyard.client.jobs import JobRequests
from gradyard.client.stages import StageRequests


class Client(JobRequests, BatchRequests, StageRequests, FleetRequests, KeyRequests):
    """A gradyard service.

    url: the address of the service. Default: `GRADYARD_URL`, else the running stack of this machine's state folder,
    else http://127.0.0.1:8000.
    key: an API key, if the service asks for one. Default: `GRADYARD_KEY`, else `GRADYARD_ADMIN_KEY`, but only where
    `url` is not given.
    retry_seconds: how long a request is sent again while the service is unreachable or busy. A submission that is sent
    again makes no second job: it carries an Idempotency-Key.
    reach_seconds: the same until the service has answered for the first time; 0 says at once that none is up. Default:
    `retry_seconds`.

    Every method raises Unreachable if no answer came in that time, RefusedByService if the service refused the request
    (JobNotFound if there is no such job), and AnswerNotUnderstood if the answer is not one of gradyard. Threads may
    share a Client.
    """
