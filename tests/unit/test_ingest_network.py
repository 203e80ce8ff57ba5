from __future__ import annotations

import httpx
import pytest

from services.ingest.network import explained, http_client, is_public
from services.ingest.policy import SourcePolicy
from services.runtime.errors import BadInputError, TransientError

PUBLIC = "93.184.215.14"
"""An address of the open internet; nothing here connects to it."""


class Net(httpx.BaseTransport):
    """The network beneath the checks: notes what reaches it."""

    def __init__(self, redirects: dict[str, str] | None = None) -> None:
        self.seen: list[httpx.Request] = []
        self._redirects = redirects or {}

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.seen.append(request)
        if target := self._redirects.get(str(request.url)):
            return httpx.Response(302, headers={"Location": target})
        return httpx.Response(200, content=b"fine")


@pytest.mark.parametrize(
    ("address", "public"),
    [
        (PUBLIC, True),
        ("2606:2800:21f:cb07:6820:80da:af6b:8b2c", True),
        ("127.0.0.1", False),
        ("10.1.2.3", False),
        ("172.16.0.1", False),
        ("192.168.1.1", False),
        ("169.254.169.254", False),
        ("100.64.0.1", False),
        ("0.0.0.0", False),  # noqa: S104 - nothing is bound to it
        ("224.0.0.1", False),
        ("255.255.255.255", False),
        ("::1", False),
        ("::", False),
        ("fe80::1", False),
        ("fd00::1", False),
        ("ff02::1", False),
        ("::ffff:127.0.0.1", False),
        (f"::ffff:{PUBLIC}", True),
        ("64:ff9b::7f00:1", False),
        ("2002:7f00:1::", False),
    ],
)
def test_only_addresses_of_the_open_internet_are_public(address: str, public: bool) -> None:
    assert is_public(address) is public


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/",
        "http://localhost:8000/",
        "http://[::1]/",
        "http://169.254.169.254/latest/meta-data",
        "http://2130706433/",
        "http://0x7f.1/",
        "http://[::ffff:10.0.0.1]/",
    ],
)
def test_private_addresses_are_refused_however_they_are_written(url: str) -> None:
    net = Net()
    with http_client(SourcePolicy(), net) as client, pytest.raises(BadInputError, match="private"):
        client.get(url)
    assert net.seen == []


def test_every_hop_of_a_redirect_is_checked() -> None:
    net = Net({f"http://{PUBLIC}/talk": "http://127.0.0.1/secret"})
    with http_client(SourcePolicy(), net) as client, pytest.raises(BadInputError, match="private"):
        client.get(f"http://{PUBLIC}/talk")
    assert [str(request.url) for request in net.seen] == [f"http://{PUBLIC}/talk"]


@pytest.mark.parametrize("target", ["file:///etc/passwd", "ftp://93.184.215.14/x", "gopher://x/"])
def test_a_redirect_to_something_else_than_the_web_is_refused(target: str) -> None:
    net = Net({f"http://{PUBLIC}/talk": target})
    with http_client(SourcePolicy(), net) as client, pytest.raises(BadInputError):  # noqa: SIM117
        with explained(PUBLIC):
            client.get(f"http://{PUBLIC}/talk")


def test_the_connection_goes_to_the_address_that_was_checked() -> None:
    net = Net()
    with http_client(SourcePolicy(private_networks=True), net) as client:
        client.get("https://localhost:8443/talk")
    request = net.seen[0]
    assert request.url.host in {"127.0.0.1", "::1"}
    assert request.headers["Host"] == "localhost:8443"
    assert request.extensions["sni_hostname"] == "localhost"


@pytest.mark.parametrize(
    ("error", "raised", "words"),
    [
        (httpx.ConnectError("x"), TransientError, "cannot be reached"),
        (httpx.ReadTimeout("x"), TransientError, "did not answer in time"),
        (httpx.TooManyRedirects("x"), BadInputError, "redirects in circles"),
        (httpx.UnsupportedProtocol("x"), BadInputError, "not a valid web address"),
        (httpx.InvalidURL("x"), BadInputError, "not a valid web address"),
    ],
)
def test_network_errors_are_sentences(
    error: Exception, raised: type[Exception], words: str
) -> None:
    with pytest.raises(raised, match=words), explained("talks.example"):
        raise error
