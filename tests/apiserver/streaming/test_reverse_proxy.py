import asyncio
import socket
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from pilothouse.api.machinery.errors import BadRequest, ServiceUnavailable, StatusError
from pilothouse.apiserver.request_info import parse_request_info
from pilothouse.apiserver.streaming.backends import Location
from pilothouse.apiserver.streaming.reverse_proxy import ProxiedPath, ReverseProxy
from pilothouse.net.http import Handler, Peer, Request, Response
from pilothouse.net.pki import Authority, Usage
from pilothouse.net.server import serve
from pilothouse.net.tls import ServerTls, client_context
from pilothouse.runtime.clock import SystemClock

CLOCK = SystemClock()
POD = "/api/v1/namespaces/shop/pods/web:80/proxy"
NODE = "/api/v1/nodes/n/proxy"
PLAIN = ReverseProxy(None, client_context(b"", verify=False), CLOCK, allowed=lambda _: True)
WEBSOCKET = {"connection": "Upgrade", "upgrade": "websocket"}


@pytest.mark.parametrize(
    ("target", "prefix", "path", "query"),
    [
        (POD, POD, "", ""),
        (f"{POD}?a=b", POD, "", "?a=b"),
        (f"{POD}/", POD, "/", ""),
        (f"{POD}/a/b?c=/d%20e", POD, "/a/b", "?c=/d%20e"),
        (f"{POD}/a/", POD, "/a/", ""),
        (f"{POD}//a//b/", POD, "/a/b/", ""),
        (f"{POD}/a%20b%3Fc%C3%BC", POD, "/a%20b%3Fc%C3%BC", ""),
        (f"{POD}/%61%7e(!)", POD, "/a~%28%21%29", ""),
        (f"{POD}/%ff", POD, "/%FF", ""),
        (f"{POD}/a?", POD, "/a", "?"),
        ("/api/v1/namespaces/proxy/pods/proxy/proxy/proxy", "/api/v1/namespaces/proxy/pods/proxy/proxy", "/proxy", ""),
        (NODE, NODE, "", ""),
        (f"{NODE}/healthz", NODE, "/healthz", ""),
    ],
)
def test_paths_are_taken_apart(target: str, prefix: str, path: str, query: str) -> None:
    assert ProxiedPath.of(parse_request_info("GET", target), target) == ProxiedPath(prefix, path, query)


@pytest.mark.parametrize("path", ["/api/v1/namespaces//pods/p/proxy/x", "/api/v1//namespaces/n/pods/p/proxy/x",
                                  f"{POD}/../x", f"{POD}/a%2fb", f"{POD}/%2e%2e/x"])  # fmt: skip
def test_paths_that_could_be_read_in_two_ways_are_refused(path: str) -> None:
    with pytest.raises(BadRequest):
        parse_request_info("GET", path)


async def _asked(
    backend: Handler, target: str, method: str = "GET", proxy: ReverseProxy = PLAIN, **headers: str
) -> tuple[Response, bytes]:
    async with serve(backend, "127.0.0.1", 0, None, CLOCK, grace=0.1) as behind:
        location = Location("http", "127.0.0.1", str(behind.port))
        told = {"host": "front:6443", **{name.replace("_", "-"): value for name, value in headers.items()}}
        request = Request(method, target, told, Peer("10.9.9.9:1"))
        response = await proxy.pass_on(request, parse_request_info(method, target), location)
        if not isinstance(response.body, AsyncIterator):
            return response, b""
        body = b"".join([piece async for piece in response.body])
        await response.body.aclose()  # type: ignore[attr-defined]
        return response, body


def test_the_backend_sees_its_own_path_and_is_told_the_clients() -> None:
    seen: list[Request] = []

    async def backend(request: Request) -> Response:
        seen.append(request)
        return Response(200, b"ok", {"Access-Control-Allow-Origin": "*", "X-A": "b"})

    response, body = asyncio.run(_asked(backend, f"{POD}/a/b/?c=d"))
    assert (response.status, body, response.length) == (200, b"ok", 2)
    assert ("X-A", "b") in response.repeated
    assert not [name for name, _ in response.repeated if name.startswith("Access-Control")]
    (request,) = seen
    assert request.target == "/a/b/?c=d"
    assert request.headers["host"] == "front:6443"
    assert request.headers["x-forwarded-uri"] == f"{POD}/a/b/"
    assert request.headers["x-forwarded-for"] == "10.9.9.9"
    assert "x-forwarded-host" not in request.headers


@pytest.mark.parametrize(
    ("method", "status", "location"), [("GET", 301, f"{POD}/?a=b"), ("HEAD", 301, f"{POD}/?a=b"), ("POST", 200, "")]
)
def test_the_path_of_the_proxy_itself_leads_to_the_root(method: str, status: int, location: str) -> None:
    async def backend(request: Request) -> Response:
        return Response(200, request.target.encode())

    response, body = asyncio.run(_asked(backend, f"{POD}?a=b", method))
    assert (response.status, response.headers.get("Location", "")) == (status, location)
    assert body == (b"/?a=b" if method == "POST" else b"")


def test_redirects_are_led_back_and_not_followed() -> None:
    async def backend(request: Request) -> Response:
        return Response(302, b'<a href="/x">', {"Location": "/x"}, "text/html")

    response, body = asyncio.run(_asked(backend, f"{POD}/a"))
    assert (response.status, dict(response.repeated)["Location"]) == (302, f"{POD}/x")
    assert body == b'<a href="/x">'


def test_links_of_pages_are_led_back() -> None:
    async def backend(request: Request) -> Response:
        return Response(200, b'<a href="/x">', {}, "text/html; charset=utf-8")

    response, body = asyncio.run(_asked(backend, f"{POD}/a"))
    assert body == f'<a href="{POD}/x">'.encode()
    assert (response.length, response.content_type) == (None, "text/html; charset=utf-8")


@pytest.mark.parametrize(("kind", "encoding"), [("text/plain", ""), ("text/html", "br"), ("application/json", "")])
def test_what_is_no_readable_page_stays(kind: str, encoding: str) -> None:
    async def backend(request: Request) -> Response:
        return Response(200, b'<a href="/x">', {"Content-Encoding": encoding} if encoding else {}, kind)

    response, body = asyncio.run(_asked(backend, f"{POD}/a"))
    assert (body, response.length) == (b'<a href="/x">', 13)


def _closed_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port


async def _refused(proxy: ReverseProxy, location: Location, **headers: str) -> StatusError:
    request = Request("GET", f"{POD}/", {"host": "x", **headers}, Peer(""))
    with pytest.raises(StatusError) as refused:
        await proxy.pass_on(request, parse_request_info("GET", request.target), location)
    return refused.value


def test_a_backend_that_is_not_there() -> None:
    port = _closed_port()
    error = asyncio.run(_refused(PLAIN, Location("http", "127.0.0.1", str(port))))
    assert isinstance(error, ServiceUnavailable)
    assert error.message == f"error trying to reach service: dial tcp 127.0.0.1:{port}: connect: connection refused"
    error = asyncio.run(_refused(PLAIN, Location("http", "127.0.0.1", str(port)), **WEBSOCKET))
    assert (error.code, error.reason) == (500, "")
    assert error.message == f"error dialing backend: dial tcp 127.0.0.1:{port}: connect: connection refused"


def test_a_port_that_does_not_exist() -> None:
    error = asyncio.run(_refused(PLAIN, Location("http", "127.0.0.1", "web")))
    assert error.message == "error trying to reach service: dial tcp: lookup tcp/web: unknown port"


@pytest.mark.parametrize("host", ["127.0.0.1", "169.254.169.254", "localhost", "::1"])
def test_addresses_of_this_machine_are_not_dialled(host: str) -> None:
    guarded = ReverseProxy(None, client_context(b"", verify=False), CLOCK)
    error = asyncio.run(_refused(guarded, Location("http", host, "80")))
    assert (error.code, error.message) == (400, "address not allowed")


def test_an_answer_that_neither_switches_nor_refuses() -> None:
    async def backend(request: Request) -> Response:
        return Response(200, b"")

    async def main() -> StatusError:
        async with serve(backend, "127.0.0.1", 0, None, CLOCK, grace=0.1) as behind:
            return await _refused(PLAIN, Location("http", "127.0.0.1", str(behind.port)), **WEBSOCKET)

    assert asyncio.run(main()).message == "invalid upgrade response: status code 200"


def test_a_kubelet_is_verified_and_shown_our_certificate_and_others_are_not() -> None:
    now = CLOCK.now()
    ours, theirs = Authority.create("ours", now), Authority.create("theirs", now)
    client = ours.issue("kube-apiserver", ("nodes",), usage=Usage.CLIENT, now=now)
    peers: list[bool] = []

    async def backend(request: Request) -> Response:
        peers.append(request.peer.certificate is not None)
        return Response(200, b"ok")

    async def main() -> None:
        proxy = replace(PLAIN, kubelets=client_context(ours.certificate, client))
        request = Request("GET", f"{NODE}/healthz", {"host": "x"}, Peer(""))
        info = parse_request_info("GET", request.target)
        for authority, verified in ((ours, True), (theirs, False)):
            pair = authority.issue("n", (), (), ["127.0.0.1"], usage=Usage.SERVER, now=now)
            async with serve(backend, "127.0.0.1", 0, ServerTls(pair, ours.certificate), CLOCK, grace=0.1) as node:
                kubelet = Location("https", "127.0.0.1", str(node.port), kubelet=True)
                if verified:
                    await _close(await proxy.pass_on(request, info, kubelet))
                else:
                    with pytest.raises(ServiceUnavailable, match="CERTIFICATE_VERIFY_FAILED"):
                        await proxy.pass_on(request, info, kubelet)
                await _close(await proxy.pass_on(request, info, replace(kubelet, kubelet=False)))

    asyncio.run(main())
    assert peers == [True, False, False]


async def _close(response: Response) -> None:
    assert response.status == 200
    await response.body.aclose()  # type: ignore[union-attr]
