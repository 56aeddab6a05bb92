"""Where messages of webhooks may go."""

import ipaddress

import pytest

from gradyard.jobs.errors import SettingsInvalid
from gradyard.jobs.settings import load
from gradyard.jobs.webhooks.addresses import Reach, Target

PUBLIC = ["8.8.8.8", "1.1.1.1", "2606:4700::1111", "64:ff9b::808:808"]
NOT_PUBLIC = {
    "loopback": ["127.0.0.1", "127.255.255.254", "::1"],
    "private": ["10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "fd00::1", "fc00::1"],
    "link-local": ["169.254.0.1", "fe80::1"],
    "metadata of clouds": ["169.254.169.254", "fd00:ec2::254", "100.100.100.200", "192.0.0.192", "168.63.129.16"],
    "of a provider's own network": ["100.64.0.1", "100.127.255.254"],
    "multicast and broadcast": ["224.0.0.1", "239.255.255.250", "255.255.255.255", "ff02::1"],
    "unspecified": ["0.0.0.0", "::"],
    "reserved and for tests": ["240.0.0.1", "192.0.2.1", "198.51.100.1", "203.0.113.1", "198.18.0.1", "2001:db8::1",
                               "192.88.99.1", "fec0::1", "0.1.2.3"],
    "IPv4 within IPv6": ["::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "64:ff9b::a00:1", "2002:7f00:1::",
                         "::127.0.0.1", "2001:0:4136:e378:8000:63bf:3fff:fdd2", "64:ff9b:1::7f00:1"],
}  # fmt: skip


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_are_reached_over_https_alone(address: str) -> None:
    assert Reach().allows(ipaddress.ip_address(address), "https")
    assert not Reach().allows(ipaddress.ip_address(address), "http")
    assert not Reach.parse("http, 10.0.0.0/8").allows(ipaddress.ip_address(address), "http")


@pytest.mark.parametrize("address", [each for kind in NOT_PUBLIC.values() for each in kind])
def test_other_addresses_are_not(address: str) -> None:
    assert not Reach().allows(ipaddress.ip_address(address), "https")


def test_an_operator_allows_networks_and_there_http_as_well() -> None:
    inside, outside = ipaddress.ip_address("10.1.2.3"), ipaddress.ip_address("10.2.0.1")
    assert Reach.parse("10.1.0.0/16").allows(inside, "https")
    assert not Reach.parse("10.1.0.0/16").allows(inside, "http")
    assert Reach.parse(" http , 10.1.0.0/16").allows(inside, "http")
    assert not Reach.parse("http,10.1.0.0/16").allows(outside, "https")


@pytest.mark.parametrize("text", ["http", "example.org", "10.0.0.1/8", "10.0.0.0/8;http", "https"])
def test_a_setting_that_is_not_valid_is_refused_at_the_start(text: str) -> None:
    with pytest.raises(SettingsInvalid, match="GRADYARD_WEBHOOK_ALLOW"):
        load(webhook_allow=text)


def test_a_url_is_taken_apart() -> None:
    assert Reach().target("https://Example.org/hook?a=1") == Target("https", "example.org", 443, "/hook?a=1")
    assert Reach().target("https://example.org:8443") == Target("https", "example.org", 8443, "/")
    assert Reach().target("https://[2606:4700::1111]/").host == "2606:4700::1111"


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://example.org/", "https"), ("ftp://example.org/", "such as"), ("example.org", "such as"),
        ("https://", "such as"), ("https://a b/", "spaces"), ("https://exämple.org/", "ASCII"),
        ("https://user:word@example.org/", "user"), ("https://@example.org/", "user"),
        ("https://example.org/#part", "fragment"), ("https://example.org:25/", "port"),
        ("https://example.org:80/", "port"),
        ("https://example.org:0/", "such as"), ("https://example.org:99999/", "no URL"),
        ("https://example.org\\@127.0.0.1/", "backslash"), ("https://example.org/\r\nX: y", "spaces"),
        ("https://127.0.0.1/", "not public"), ("https://[::1]/", "not public"),
        ("https://[::ffff:10.0.0.1]/", "not public"),
        ("https://localhost/", "not public"), ("https://api.localhost./", "not public"),
        ("https://metadata.google.internal/", "not public"), ("https://169.254.169.254/latest", "not public"),
        ("https://" + "a" * 3000 + ".org/", "2,000"),
        ("https://example.org%2f@evil/", "user"), ("https://example.org%2f/", "such as"),
    ],
)  # fmt: skip
def test_a_url_to_which_no_message_may_go_is_refused_with_the_reason(url: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        Reach().target(url)
