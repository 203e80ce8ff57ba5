"""The one way out: every connection of ingest goes to an address that the policy allows.

Names are resolved here, all their addresses are checked, and the connection goes to a checked
address rather than to the name. Checking a name first and connecting to it later would ask DNS
twice, and a hostile server may answer differently the second time. As this happens beneath the
HTTP client, every hop of a redirect passes through it too.
"""

from __future__ import annotations

import ipaddress
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx

from services.ingest.policy import SourcePolicy
from services.runtime.errors import BadInputError, TransientError

_MOST_REDIRECTS = 10
_USER_AGENT = "Mozilla/5.0 (compatible; voxmesh)"
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


def http_client(
    policy: SourcePolicy,
    inner: httpx.BaseTransport | None = None,
    **options: Any,  # noqa: ANN401 - httpx's own
) -> httpx.Client:
    """A client that follows redirects and connects to allowed addresses only.

    `inner` takes the place of the network.
    """
    return httpx.Client(
        transport=_CheckedTransport(policy, inner),
        follow_redirects=True,
        max_redirects=_MOST_REDIRECTS,
        timeout=policy.timeout_s,
        trust_env=False,  # a proxy would resolve names itself, out of sight of the checks
        headers={"User-Agent": _USER_AGENT},
        **options,
    )


@contextmanager
def explained(host: str) -> Iterator[None]:
    """Turn what the HTTP client raises into sentences.

    Raises:
        BadInputError: for an address that can never work.
        TransientError: for a network or a server that fails now.
    """
    try:
        yield
    except (httpx.InvalidURL, httpx.UnsupportedProtocol, httpx.LocalProtocolError) as error:
        raise BadInputError(f"the address of {host} is not a valid web address") from error
    except httpx.TooManyRedirects as error:
        raise BadInputError(f"{host} redirects in circles; give the final address") from error
    except httpx.HTTPError as error:
        if _is_untrusted(error):
            raise BadInputError(
                f"the certificate of {host} is not trusted; give an address with a valid one"
            ) from error
        what = "did not answer in time" if _is_timeout(error) else "cannot be reached"
        raise TransientError(f"{host} {what}; check the address and the network") from error


class _CheckedTransport(httpx.BaseTransport):
    def __init__(self, policy: SourcePolicy, inner: httpx.BaseTransport | None) -> None:
        self._policy = policy
        # A connection is never used twice: it was made for one name, and the pool would lend it to
        # another name at the same address.
        limits = httpx.Limits(max_keepalive_connections=0)
        self._inner = inner or httpx.HTTPTransport(limits=limits)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        host = request.url.raw_host.decode("ascii")
        if request.url.scheme not in {"http", "https"} or not host:
            raise httpx.UnsupportedProtocol("not a web address", request=request)
        failure: httpx.TransportError | None = None
        for address in self._addresses(host, request.url.port or 0):
            try:
                return self._inner.handle_request(_pinned(request, host, address))
            except (httpx.ConnectError, httpx.ConnectTimeout) as error:
                failure = error
        raise failure or httpx.ConnectError("no address", request=request)

    def close(self) -> None:
        self._inner.close()

    def _addresses(self, host: str, port: int) -> list[str]:
        try:
            found = socket.getaddrinfo(host.strip("[]"), port, type=socket.SOCK_STREAM)
        except OSError as error:
            raise httpx.ConnectError(f"{host} is not known") from error
        addresses = [str(entry[4][0]) for entry in found]
        if not self._policy.private_networks and not all(map(is_public, addresses)):
            raise BadInputError(
                f"{host} is in a private network, which this mesh does not fetch from; "
                "upload the file instead"
            )
        return addresses


def is_public(address: str) -> bool:
    """Whether an address belongs to the open internet, whatever it is wrapped in."""
    ip = ipaddress.ip_address(address)
    if isinstance(ip, ipaddress.IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None)
        if ip in _NAT64:
            inner = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(str(inner))
    return ip.is_global and not ip.is_multicast


def _pinned(request: httpx.Request, host: str, address: str) -> httpx.Request:
    """The same request to a fixed address; name and certificate stay those of the host."""
    return httpx.Request(
        request.method,
        request.url.copy_with(host=address),
        headers=request.headers,
        stream=request.stream,
        extensions={**request.extensions, "sni_hostname": host},
    )


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _is_untrusted(error: httpx.HTTPError) -> bool:
    return any(isinstance(cause, ssl.SSLCertVerificationError) for cause in _causes(error))


def _is_timeout(error: httpx.HTTPError) -> bool:
    return isinstance(error, httpx.TimeoutException)
