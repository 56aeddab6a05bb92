"""A transport of httpx by which each request is made, and measured, by a process of its own."""

import json
import subprocess
import sys
from pathlib import Path

import httpx

SCRIPT = Path(__file__).with_name("lone_request.py")
SECONDS = "seconds"
"""The extension of an answer that tells what the request took."""


class LoneTransport(httpx.BaseTransport):
    """Raises ConnectError where the service is away."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Make the request, which has no body."""
        asked = {"url": str(request.url), "method": request.method, "headers": dict(request.headers)}
        command = [sys.executable, "-I", "-S", str(SCRIPT)]
        done = subprocess.run(command, input=json.dumps(asked), capture_output=True, text=True, check=True)
        told = json.loads(done.stdout)
        if told["status"] is None:
            raise httpx.ConnectError(told["body"], request=request)
        measured = {SECONDS: told["seconds"]}
        return httpx.Response(told["status"], headers=told["headers"], text=told["body"], extensions=measured)
