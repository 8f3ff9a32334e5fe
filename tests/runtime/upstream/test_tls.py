"""TLS to upstreams: certificates and names are checked, and every fault is a ConnectError."""

from __future__ import annotations

import asyncio
import datetime as dt
import ssl

import pytest
import trustme

from runtime.upstream import ConnectError, ConnectTimeout, Upstreams
from runtime.vocabulary import Provider, Timeouts
from tests.runtime.upstream.support import LONG, SHORT, Leg, fault_upstream

pytestmark = pytest.mark.anyio

BODY = bytes(range(256)) * 1200


@pytest.fixture(scope="module")
def authority():
    return trustme.CA()


def trusting(authority: trustme.CA) -> ssl.SSLContext:
    trusted = ssl.create_default_context()
    authority.configure_trust(trusted)
    return trusted


def presenting(certificate: trustme.LeafCert) -> ssl.SSLContext:
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    certificate.configure_cert(server)
    return server


async def echo(peer):
    while True:
        _, body = await peer.request()
        head = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
        await peer.send(head, b"%x\r\n%b\r\n" % (len(body), body), b"0\r\n\r\n")


def leg_to(port: int, authority: trustme.CA, transport: str, **timeouts: float) -> Leg:
    provider = Provider(
        base_url=f"https://localhost:{port}",
        auth="none",
        timeouts=Timeouts(**timeouts),
        transport=transport,
    )
    return Leg(Upstreams({"p": provider}, {}, tls=trusting(authority)), LONG)


EACH_TRANSPORT = pytest.mark.parametrize("transport", ["fast", "httpx"])


@EACH_TRANSPORT
async def test_a_good_certificate_serves_many_requests_on_one_connection(authority, transport):
    tls = presenting(authority.issue_cert("localhost"))
    async with fault_upstream(echo, tls) as upstream:
        leg = leg_to(upstream.port, authority, transport)
        for _ in range(3):
            assert await leg.fetch(BODY) == (200, BODY)
        assert len(upstream.peers) == 1
        await leg.upstreams.aclose()


@EACH_TRANSPORT
async def test_a_certificate_for_another_name_is_a_connect_error(authority, transport):
    async with fault_upstream(echo, presenting(authority.issue_cert("other.test"))) as upstream:
        with pytest.raises(ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
            await leg_to(upstream.port, authority, transport).open()


@EACH_TRANSPORT
async def test_an_unknown_authority_is_a_connect_error(authority, transport):
    async with fault_upstream(echo, presenting(trustme.CA().issue_cert("localhost"))) as upstream:
        with pytest.raises(ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
            await leg_to(upstream.port, authority, transport).open()


@EACH_TRANSPORT
async def test_an_expired_certificate_is_a_connect_error(authority, transport):
    past = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
    expired = authority.issue_cert("localhost", not_before=past, not_after=past)
    async with fault_upstream(echo, presenting(expired)) as upstream:
        with pytest.raises(ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
            await leg_to(upstream.port, authority, transport).open()


@EACH_TRANSPORT
async def test_an_upstream_without_tls_is_a_connect_error(authority, transport):
    async def plain(peer):
        await peer.reader.read(100)
        await peer.send(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n")

    async with fault_upstream(plain) as upstream:
        with pytest.raises(ConnectError):
            await leg_to(upstream.port, authority, transport).open()


@EACH_TRANSPORT
async def test_an_end_while_tls_is_agreed_on_is_a_connect_error(authority, transport):
    async def hang_up(peer):
        await peer.reader.read(100)
        peer.reset()

    async with fault_upstream(hang_up) as upstream:
        with pytest.raises(ConnectError):
            await leg_to(upstream.port, authority, transport).open()


@EACH_TRANSPORT
async def test_silence_while_tls_is_agreed_on_is_a_connect_timeout(authority, transport):
    async with fault_upstream(lambda peer: asyncio.sleep(LONG)) as upstream:
        with pytest.raises(ConnectTimeout):
            await leg_to(upstream.port, authority, transport, connect=SHORT).open()


@EACH_TRANSPORT
async def test_the_usual_roots_do_not_trust_a_private_authority(authority, transport):
    async with fault_upstream(echo, presenting(authority.issue_cert("localhost"))) as upstream:
        url = f"https://localhost:{upstream.port}"
        provider = Provider(url, auth="none", transport=transport)
        with pytest.raises(ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
            await Leg(Upstreams({"p": provider}, {}), LONG).open()


async def test_roots_can_be_named_in_the_environment(authority, tmp_path):
    file = tmp_path / "roots.pem"
    authority.cert_pem.write_to_path(str(file))
    async with fault_upstream(echo, presenting(authority.issue_cert("localhost"))) as upstream:
        provider = Provider(base_url=f"https://localhost:{upstream.port}", auth="none")
        leg = Leg(Upstreams({"p": provider}, {"SSL_CERT_FILE": str(file)}), LONG)
        assert await leg.fetch(b"hi") == (200, b"hi")
        await leg.upstreams.aclose()
