"""Make the request that stands on stdin, as JSON, and print the answer and the seconds that it took.

The time of a cancel is promised. The process of the fault runner has dozens of threads, of which one at a time runs: on
a busy host an answer that is there may wait for seconds until its thread goes on.
"""

import http.client
import json
import sys
import time
from typing import Any
from urllib.parse import urlsplit

TIMEOUT_SECONDS = 20.0


def asked(url: str, method: str, headers: dict[str, str]) -> dict[str, Any]:
    """The answer's `status` (None: the connection failed), `headers` and `body`, and `seconds`."""
    address = urlsplit(url)
    connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=TIMEOUT_SECONDS)
    began = time.monotonic()
    try:
        connection.request(method, address.path, headers=headers | {"accept-encoding": "identity"})
        answer = connection.getresponse()
        told = {"status": answer.status, "headers": dict(answer.getheaders()), "body": answer.read().decode()}
    except (OSError, http.client.HTTPException) as error:
        told = {"status": None, "headers": {}, "body": str(error)}
    return told | {"seconds": time.monotonic() - began}


if __name__ == "__main__":
    print(json.dumps(asked(**json.load(sys.stdin))))
