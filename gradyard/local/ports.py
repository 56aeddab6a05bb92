"""Ports of this machine."""

import os
import socket

from gradyard.local.errors import CannotStart


def free_port(host: str, port: int) -> int:
    """`port` if it is free, any free port for 0. Raises CannotStart with the reason if there is none."""
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
            probe.listen(1)
            free: int = probe.getsockname()[1]
            return free
    except socket.gaierror as error:
        raise CannotStart(f"--host {host} is not an address ({error.strerror})") from None
    except OSError as error:
        reason = os.strerror(error.errno).lower() if error.errno else str(error)
        raise CannotStart(
            f"port {port} of {host} cannot be used ({reason}); choose another with --port, 0 for any free one"
        ) from None
