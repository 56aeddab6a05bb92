"""To which addresses messages may go: public ones over https, and those that the operator allows."""

import ipaddress
import re
from dataclasses import dataclass
from typing import Self
from urllib.parse import SplitResult, urlsplit

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

MOST_LETTERS = 2000
PLAIN = "http"
DEFAULT_PORTS = {"https": 443, "http": 80}
FIRST_FREE_PORT = 1024  # those below are of other protocols, whose servers might take our lines for theirs
HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,251}[A-Za-z0-9])?\.?|[0-9A-Fa-f:.]{2,45}")
LOCAL_NAMES = ("localhost", ".localhost", ".local", ".internal", ".home.arpa")

# Those that Python, in some of its versions, takes for public. The last one is the machine's own cloud's; the other
# services of clouds have private or link-local addresses.
_NOT_PUBLIC: tuple[Network, ...] = tuple(
    ipaddress.ip_network(each) for each in ("192.0.0.0/24", "192.88.99.0/24", "fec0::/10", "168.63.129.16/32")
)
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


@dataclass(frozen=True)
class Target:
    """Where a webhook's messages go: scheme, host, port, and what stands in the first line of the request."""

    scheme: str
    host: str
    port: int
    path: str


@dataclass(frozen=True)
class Reach:
    """What an operator allows beyond public addresses over https: networks, and there http as well.

    Its text is a list with commas: `10.0.0.0/8, fd00::/8, http`.
    """

    networks: tuple[Network, ...] = ()
    plain: bool = False

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read the list. Raises ValueError with the part that is neither a network nor `http`."""
        parts = [part.strip() for part in text.split(",") if part.strip()]
        networks = tuple(_network(part) for part in parts if part != PLAIN)
        if PLAIN in parts and not networks:
            raise ValueError(f"{PLAIN} is for the networks that stand beside it; name one, such as 10.0.0.0/8")
        return cls(networks, PLAIN in parts)

    def allows(self, address: Address, scheme: str) -> bool:
        """Whether messages may go to that address. What one of IPv6 stands for in IPv4 is looked at as well."""
        if any(address in network for network in self.networks):
            return scheme == "https" or self.plain
        return scheme == "https" and _is_public(address)

    def target(self, url: str) -> Target:
        """Take the URL apart. Raises ValueError where no message may go there, whatever its name resolves to."""
        parts = _parts(url)
        host, scheme = (parts.hostname or "").lower(), parts.scheme
        port = DEFAULT_PORTS[scheme] if parts.port is None else parts.port
        if scheme == PLAIN and not self.plain:
            raise ValueError("must begin with https://")
        if not self.networks and port < FIRST_FREE_PORT and port != DEFAULT_PORTS[scheme]:
            raise ValueError(f"must have the port 443, or one from {FIRST_FREE_PORT} on")
        self._check_host(host, scheme)
        return Target(scheme, host, port, (parts.path or "/") + (f"?{parts.query}" if parts.query else ""))

    def _check_host(self, host: str, scheme: str) -> None:
        try:
            address = ipaddress.ip_address(host)
        except ValueError:
            if not self.networks and any(host.rstrip(".").endswith(name) for name in LOCAL_NAMES):
                raise ValueError(REFUSED) from None
            return
        if not self.allows(address, scheme):
            raise ValueError(REFUSED)


REFUSED = "leads to an address that is not public; its operator may allow networks by GRADYARD_WEBHOOK_ALLOW"


def host_of(url: str) -> str:
    """The host of a URL. The rest of it may be a secret of its receiver's."""
    return urlsplit(url).hostname or ""


def _parts(url: str) -> SplitResult:
    if len(url) > MOST_LETTERS or not url.isascii() or re.search(r"[\x00-\x20\x7f\\]", url):
        raise ValueError(f"must be a URL of at most {MOST_LETTERS:,} ASCII letters, without spaces and backslashes")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise ValueError("is no URL") from None
    if parts.scheme not in DEFAULT_PORTS or not HOST.fullmatch(parts.hostname or "") or port == 0:
        raise ValueError("must be a URL such as https://example.org/gradyard")
    if "@" in parts.netloc:
        raise ValueError("must have no user and password; messages are signed")
    if "#" in url:
        raise ValueError("must have no fragment (#)")
    return parts


def _network(text: str) -> Network:
    try:
        return ipaddress.ip_network(text)
    except ValueError as error:
        raise ValueError(f"{text} is neither a network such as 10.0.0.0/8 nor {PLAIN} ({error})") from None


def _is_public(address: Address) -> bool:
    if address in _NAT64:  # by a gateway, to the address of IPv4 that stands in the last 32 bits
        return _is_public(ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF))
    special = address.is_multicast or address.is_reserved or address.is_unspecified
    if special or not address.is_global or any(address in network for network in _NOT_PUBLIC):
        return False
    return all(_is_public(each) for each in _within(address))


def _within(address: Address) -> list[ipaddress.IPv4Address]:
    """The addresses of IPv4 to which one of IPv6 may lead: mapped, 6to4, Teredo."""
    if isinstance(address, ipaddress.IPv4Address):
        return []
    return [each for each in (address.ipv4_mapped, address.sixtofour, *(address.teredo or ())) if each is not None]
