"""One request to the service by a process of its own, which measures it: the time of a cancel is promised.

The process of the fault runner has dozens of threads, of which one at a time runs: on a busy host an answer that is
there may wait for seconds until its thread goes on.
"""

import http.client
import json
import subprocess
import sys
import time
from typing import Any
from urllib.parse import urlsplit

TIMEOUT_SECONDS = 20.0


def asked_alone(url: str, method: str, path: str, headers: dict[str, str]) -> dict[str, Any]:
    """The answer's `status` (None: the connection failed), `headers`, `body`, and the `seconds` that it took."""
    request = json.dumps({"url": url, "method": method, "path": path, "headers": headers})
    command = [sys.executable, "-I", "-S", __file__]
    done = subprocess.run(command, input=request, capture_output=True, text=True, check=True)
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def _asked(url: str, method: str, path: str, headers: dict[str, str]) -> dict[str, Any]:
    address = urlsplit(url)
    connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=TIMEOUT_SECONDS)
    began = time.monotonic()
    try:
        connection.request(method, path, headers=headers | {"Content-Length": "0"})
        answer = connection.getresponse()
        body = answer.read().decode()
        told = {"status": answer.status, "headers": dict(answer.getheaders()), "body": body}
    except (OSError, http.client.HTTPException):
        told = {"status": None, "headers": {}, "body": ""}
    return told | {"seconds": time.monotonic() - began}


if __name__ == "__main__":
    print(json.dumps(_asked(**json.load(sys.stdin))))
