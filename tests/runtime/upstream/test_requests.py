"""What goes on the wire to a provider: its credential, its headers, and nothing unchecked."""

from __future__ import annotations

import gc
import traceback

import pytest

from runtime.upstream import (
    FastTransport,
    LocalProtocolError,
    MissingKeys,
    RemoteProtocolError,
    TransportError,
    Upstreams,
)
from runtime.upstream.door import httpx
from runtime.vocabulary import Provider
from tests.runtime.upstream.support import LONG, Leg

pytestmark = pytest.mark.anyio

SECRET = "sk-marker-7f3a9b2c"
OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"
EACH_TRANSPORT = pytest.mark.parametrize("transport", ["fast", "httpx"], indirect=True)


@pytest.fixture
def echoing(ready):
    """A leg, and the list of heads and bodies its upstream has seen."""

    async def build(**provider):
        seen = []

        async def script(peer):
            while True:
                seen.append(await peer.request())
                await peer.send(OK)

        leg, upstream = await ready(script, **provider)
        return leg, upstream, seen

    return build


async def test_the_whole_head_of_a_request(echoing):
    leg, upstream, seen = await echoing(
        auth="bearer", key_env="KEY", headers=(("X-Title", "Interlock"),)
    )
    await leg.fetch(b'{"a": 1}', headers=[(b"anthropic-version", b"2023-06-01")])
    head = (
        "POST /v1/chat/completions HTTP/1.1\r\n"
        f"host: 127.0.0.1:{upstream.port}\r\n"
        "authorization: Bearer secret\r\n"
        "content-type: application/json\r\n"
        "accept-encoding: identity\r\n"
        "user-agent: interlock\r\n"
        "x-title: Interlock\r\n"
        "anthropic-version: 2023-06-01\r\n"
        "content-length: 8\r\n\r\n"
    )
    assert seen == [(head.encode(), b'{"a": 1}')]


@EACH_TRANSPORT
@pytest.mark.parametrize(
    ("auth", "line"),
    [
        ("bearer", b"authorization: Bearer secret"),
        ("x-api-key", b"x-api-key: secret"),
        ("X-Goog-Api-Key", b"x-goog-api-key: secret"),
    ],
)
async def test_the_credential_travels_as_the_provider_wants_it(echoing, auth, line):
    leg, _, seen = await echoing(auth=auth, key_env="KEY")
    await leg.fetch()
    lines = seen[0][0].lower().split(b"\r\n")
    assert [each for each in lines if b"secret" in each] == [line.lower()]


@EACH_TRANSPORT
async def test_a_provider_without_auth_gets_no_key(echoing):
    leg, _, seen = await echoing(key_env="KEY")
    await leg.fetch()
    assert b"secret" not in seen[0][0]


@EACH_TRANSPORT
async def test_a_header_of_the_request_takes_the_place_of_a_declared_one(echoing):
    leg, _, seen = await echoing(headers=(("anthropic-version", "old"), ("User-Agent", "us")))
    await leg.fetch(headers=[(b"Anthropic-Version", b"new")])
    lines = seen[0][0].lower().split(b"\r\n")
    assert [each for each in lines if each.startswith(b"anthropic")] == [b"anthropic-version: new"]
    assert b"user-agent: us" in lines


@EACH_TRANSPORT
@pytest.mark.parametrize(
    "header",
    [
        (b"x", b"1\r\nhost: evil"),
        (b"x", b"1\nb: 2"),
        (b"x", b"1\x00"),
        (b"x\r\ny", b"1"),
        (b"x y", b"1"),
        (b"", b"1"),
        (b"Host", b"evil"),
        (b"Authorization", b"Bearer other"),
        (b"x-api-key", b"other"),
        (b"Cookie", b"a=b"),
        (b"content-length", b"0"),
        (b"Transfer-Encoding", b"chunked"),
        (b"connection", b"close"),
        (b"x-own-key", b"other"),
    ],
)
async def test_a_header_that_may_not_be_sent_is_refused_before_a_connection(echoing, header):
    leg, upstream, _ = await echoing(auth="x-own-key", key_env="KEY")
    with pytest.raises(LocalProtocolError):
        await leg.open(headers=[header])
    assert upstream.peers == []


@pytest.mark.parametrize("path", ["/a b", "/a\r\nx: y", "/é"])
async def test_a_path_that_cannot_stand_in_a_request_line_is_refused(echoing, path):
    leg, upstream, _ = await echoing()
    with pytest.raises(LocalProtocolError):
        await leg.open(path=path)
    assert upstream.peers == []


@pytest.mark.parametrize(
    ("base", "path", "target"),
    [
        ("", "/chat", b"/chat"),
        ("/", "/chat", b"/chat"),
        ("/v1", "/chat", b"/v1/chat"),
        ("/v1/", "chat?beta=true", b"/v1/chat?beta=true"),
    ],
)
async def test_the_path_is_below_the_base_url(ready, base, path, target):
    async def script(peer):
        seen.append((await peer.request())[0].split(b" ")[1])
        await peer.send(OK)

    seen = []
    _, upstream = await ready(script)
    url = f"http://127.0.0.1:{upstream.port}{base}"
    other = Upstreams({"p": Provider(base_url=url, auth="none")}, {})
    await other.open("p", path=path, headers=[], body=b"", first_byte=1)
    await other.aclose()
    assert seen == [target]


@pytest.mark.parametrize("name", ["Host", "Authorization", "Connection", "x-api-key"])
def test_a_provider_cannot_declare_headers_that_are_ours(name):
    with pytest.raises(LocalProtocolError):
        Upstreams({"p": Provider("http://a.test", auth="none", headers=((name, "x"),))}, {})


@pytest.mark.parametrize(
    "url",
    ["ftp://a.test", "http://", "a.test/v1", "http://user:marker@a.test", "http://a.test?q=1"],
)
def test_a_base_url_that_is_none_is_refused_and_not_shown(url):
    with pytest.raises(ValueError, match=r"providers\.p\.base_url") as caught:
        Upstreams({"p": Provider(url, auth="none")}, {})
    assert "marker" not in str(caught.value)


# --- keys ---------------------------------------------------------------------------------------


def test_all_missing_keys_are_named_at_once():
    providers = {
        "a": Provider("http://a.test", key_env="A_KEY"),
        "b": Provider("http://b.test", key_env="B_KEY"),
        "c": Provider("http://c.test", key_file="/nowhere/c.key"),
        "d": Provider("http://d.test", auth="none"),
        "e": Provider("http://e.test", key_env="E_KEY"),
    }
    with pytest.raises(MissingKeys) as caught:
        Upstreams(providers, {"B_KEY": "  \n", "E_KEY": "x"})
    assert caught.value.names == ("A_KEY", "B_KEY", "/nowhere/c.key")
    for name in caught.value.names:
        assert name in str(caught.value)


@pytest.mark.parametrize(
    "key", [f"{SECRET}\nx: y", f"{SECRET} two", f"{SECRET}é", f"a\x00{SECRET}"]
)
def test_a_key_that_no_key_can_look_like_is_refused_and_not_shown(key):
    with pytest.raises(MissingKeys) as caught:
        Upstreams({"a": Provider("http://a.test", key_env="A_KEY")}, {"A_KEY": key})
    assert "A_KEY" in str(caught.value)
    assert SECRET not in str(caught.value)


def test_a_key_that_an_upstream_quotes_is_taken_out_of_its_words():
    providers = {
        "a": Provider("http://a.test", auth="bearer", key_env="KEY"),
        "b": Provider("http://b.test", auth="none"),
    }
    upstreams = Upstreams(providers, {"KEY": SECRET})
    assert upstreams.censored(f"bad key {SECRET}, sorry") == "bad key [key], sorry"


async def test_a_key_file_is_read_and_stripped(echoing, tmp_path):
    file = tmp_path / "key"
    file.write_text("  from-file\n")
    leg, _, seen = await echoing(auth="bearer", key_file=str(file))
    await leg.fetch()
    assert b"authorization: Bearer from-file\r\n" in seen[0][0]


@EACH_TRANSPORT
@pytest.mark.parametrize(
    "packet", [b"junk\r\n\r\n", b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nx", b""]
)
async def test_a_key_shows_in_no_error_and_no_object(ready, packet, transport):
    async def script(peer):
        await peer.request()
        await peer.send(packet)

    _, upstream = await ready(script)
    provider = Provider(upstream.url, auth="x-api-key", key_env="KEY", transport=transport)
    upstreams = Upstreams({"p": provider}, {"KEY": SECRET})
    with pytest.raises(TransportError) as caught:
        await Leg(upstreams, LONG).fetch()
    shown = "".join(traceback.format_exception(caught.value)) + repr(caught.value)
    shown += repr(vars(caught.value.request)) + repr(caught.value.request.headers.raw)
    for each in gc.get_objects():
        if str(type(each).__module__).startswith("runtime.upstream"):
            shown += repr(each) + str(each)
    assert SECRET not in shown
    await upstreams.aclose()


# --- through httpx's own interface ---------------------------------------------------------------


async def test_the_transport_serves_an_httpx_client(echoing):
    _, upstream, seen = await echoing()
    async with httpx.AsyncClient(transport=FastTransport()) as client:
        for _ in range(2):
            response = await client.post(f"{upstream.url}/x?a=b", json={"a": 1}, headers={"x": "y"})
            assert (response.status_code, response.text) == (200, "ok")
        head = await client.head(f"{upstream.url}/x")
        assert head.status_code == 200
    assert len(upstream.peers) == 1
    assert seen[0][0].startswith(b"POST /v1/x?a=b HTTP/1.1\r\n")
    assert seen[0][1] == b'{"a":1}'


async def test_the_same_head_has_a_body_or_none_by_what_was_asked(ready):
    head, body = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n", b"ok"

    async def script(peer):
        while True:
            line, _ = await peer.request()
            await peer.send(head if line.startswith(b"HEAD ") else head + body)

    _, upstream = await ready(script)
    async with httpx.AsyncClient(transport=FastTransport()) as client:
        methods = ("GET", "HEAD", "GET", "GET", "HEAD", "HEAD", "GET")
        texts = [(await client.request(method, upstream.url)).text for method in methods]
    assert texts == ["" if method == "HEAD" else "ok" for method in methods]
    assert len(upstream.peers) == 1


async def test_a_hand_built_request_with_a_line_break_in_a_header_is_refused(echoing):
    _, upstream, _ = await echoing()
    transport = FastTransport()
    request = httpx.Request("POST", upstream.url, headers=[(b"x", b"1\r\ny: 2")])
    with pytest.raises(LocalProtocolError):
        await transport.handle_async_request(request)


async def test_httpx_timeouts_bound_a_hand_built_request(ready):
    async def script(peer):
        await peer.request()
        await peer.sees_close()

    _, upstream = await ready(script)
    request = httpx.Request("POST", upstream.url, extensions={"timeout": {"read": 0.1}})
    with pytest.raises(httpx.ReadTimeout):
        await FastTransport().handle_async_request(request)


async def test_a_transport_that_is_not_http_is_refused():
    with pytest.raises(httpx.UnsupportedProtocol):
        await FastTransport().handle_async_request(httpx.Request("GET", "ftp://a.test/"))


async def test_a_broken_answer_is_an_error_for_an_httpx_client_too(ready):
    async def script(peer):
        await peer.request()
        await peer.send(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nx")

    _, upstream = await ready(script)
    async with httpx.AsyncClient(transport=FastTransport()) as client:
        with pytest.raises(RemoteProtocolError):
            await client.get(upstream.url)
