"""The kubelet's HTTP GET against real servers; the user agent, headers and redirects are upstream's."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import pytest

from kubelet.web import Web, answer, unused_port, web
from pilothouse.api.types.core_v1 import HTTPGetAction
from pilothouse.kubelet.http_fetch import BODY_LIMIT, FetchError, HttpFetch, url_of
from pilothouse.net.pki import DAY, Authority, Usage
from pilothouse.net.tls import ServerTls
from pilothouse.runtime.clock import SystemClock

CLOCK = SystemClock()


def _action(path: str = "/", headers: Mapping[str, str] | None = None, **more: Any) -> HTTPGetAction:
    listed = [{"name": name, "value": value} for name, value in (headers or {}).items()]
    return HTTPGetAction({"path": path, "port": 80, "scheme": "HTTP", "httpHeaders": listed, **more})


async def _fetch(server: Web, action: HTTPGetAction) -> tuple[int, str]:
    async with CLOCK.timeout(10):
        return await HttpFetch(CLOCK)(action, "127.0.0.1", server.port)


def test_what_is_sent() -> None:
    async def main() -> None:
        async with web({"/healthz?a=b": answer(200, "fine")}) as server:
            assert await _fetch(server, _action("/healthz?a=b#part")) == (200, "fine")
            host = f"Host: 127.0.0.1:{server.port}"
            expected = ["GET /healthz?a=b HTTP/1.1", host, "User-Agent: kube-probe/1.37", "Accept: */*",
                        "Connection: close"]  # fmt: skip
            assert server.lines == [expected]
            await HttpFetch(CLOCK, "lifecycle")(_action("/healthz?a=b"), "127.0.0.1", server.port)
            assert "User-Agent: kube-lifecycle/1.37" in server.lines[1]

    asyncio.run(main())


@pytest.mark.parametrize(
    ("headers", "there", "absent"),
    [
        ({"host": "web.test"}, ["Host: web.test", "Accept: */*"], ["Host: 127"]),
        ({"user-agent": "me/1"}, ["User-Agent: me/1"], ["kube-probe"]),
        ({"Accept": "text/plain"}, ["Accept: text/plain"], ["*/*"]),
        ({"Accept": ""}, [], ["Accept"]),
        ({"User-Agent": ""}, [], ["User-Agent"]),
        ({"X-Word": "café"}, ["X-Word: café"], []),
        ({"Content-Length": "5", "Transfer-Encoding": "chunked"}, [], ["Content-Length", "Transfer-Encoding"]),
    ],
)
def test_headers_of_the_action(headers: dict[str, str], there: list[str], absent: list[str]) -> None:
    async def main() -> None:
        async with web({"/": answer(200)}) as server:
            await _fetch(server, _action(headers=headers))
            assert [line for line in there if line not in server.lines[0]] == []
            assert [word for word in absent if word in server.asked[0]] == []

    asyncio.run(main())


@pytest.mark.parametrize(
    ("path", "target"),
    [("healthz", "/healthz"), ("", "/"), ("/a b", "/a%20b"), ("/a%2Fb", "/a%2Fb"), ("/ü", "/%C3%BC")],
)
def test_paths_are_made_fit_for_a_request(path: str, target: str) -> None:
    assert url_of(_action(path, scheme="HTTPS"), "fd00::1", 8443) == f"https://[fd00::1]:8443{target}"

    async def main() -> None:
        async with web({target: answer(204)}) as server:
            assert (await _fetch(server, _action(path)))[0] == 204

    asyncio.run(main())


def test_https_takes_any_certificate() -> None:
    pair = Authority.create("nobody", 0.0).issue("other", (), ["other"], usage=Usage.SERVER, now=0.0, lifetime=DAY)

    async def main() -> None:
        async with web({"/": answer(200, "safe")}, ServerTls(pair).context) as server:
            assert await _fetch(server, _action(scheme="HTTPS")) == (200, "safe")

    asyncio.run(main())


def test_the_body_is_read_in_part() -> None:
    async def main() -> None:
        async with web({"/": answer(200, "x" * 3 * BODY_LIMIT)}) as server:
            assert await _fetch(server, _action()) == (200, "x" * BODY_LIMIT)

    asyncio.run(main())


def test_a_body_without_end() -> None:
    async def main() -> None:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
            with suppress(ConnectionError):
                while True:
                    writer.write(b"x" * 1000)
                    await writer.drain()
            writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        found = await _fetch(Web(server.sockets[0].getsockname()[1], {}), _action())
        assert found == (200, "x" * BODY_LIMIT)
        server.close()
        await CLOCK.sleep(0.01)

    asyncio.run(main())


def test_redirects_on_the_same_host_are_followed() -> None:
    async def main() -> None:
        async with web({"/end": answer(200, "here")}) as last:
            end = f"http://127.0.0.1:{last.port}/end"
            first = {
                "/": answer(302, Location="/next?x=y"),
                "/next?x=y": answer(307, Location="further"),
                "/further": answer(308, Location=end),
            }
            async with web(first) as server:
                assert await _fetch(server, _action(headers={"Host": "web.test"})) == (200, "here")
                hosts = [[line for line in lines if line.startswith("Host")] for lines in server.lines + last.lines]
                assert hosts == [["Host: web.test"]] * 3 + [[f"Host: 127.0.0.1:{last.port}"]]

    asyncio.run(main())


@pytest.mark.parametrize("location", ["http://localhost/", "http://192.0.2.1/x", "https://elsewhere.test"])
def test_a_redirect_to_another_host_is_the_answer(location: str) -> None:
    async def main() -> None:
        async with web({"/": answer(301, "moved", Location=location)}) as server:
            assert await _fetch(server, _action()) == (301, "moved")

    asyncio.run(main())


@pytest.mark.parametrize("status", [300, 302, 304])
def test_a_redirect_to_nowhere_is_the_answer(status: int) -> None:
    async def main() -> None:
        async with web({"/": answer(status)}) as server:
            assert (await _fetch(server, _action()))[0] == status

    asyncio.run(main())


def test_ten_requests_are_enough() -> None:
    async def main() -> None:
        async with web({"/": answer(302, Location="/loop"), "/loop": answer(302, Location="/loop")}) as server:
            with pytest.raises(FetchError, match=r'^Get "/loop": stopped after 10 redirects$'):
                await _fetch(server, _action())
            assert len(server.asked) == 10

    asyncio.run(main())


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (answer(302, Location="ftp://127.0.0.1/"), 'Get "ftp://127.0.0.1/": unsupported protocol scheme "ftp"'),
        (b"nonsense\r\n\r\n", 'Get "http://127.0.0.1:{port}/": the answer is malformed'),
    ],
)
def test_answers_that_cannot_be_understood(raw: bytes, words: str) -> None:
    async def main() -> None:
        async with web({"/": raw}) as server:
            with pytest.raises(FetchError) as caught:
                await _fetch(server, _action())
            assert str(caught.value) == words.replace("{port}", str(server.port))

    asyncio.run(main())


def test_a_header_may_not_smuggle_another() -> None:
    async def main() -> None:
        async with web({"/": answer(200)}) as server:
            with pytest.raises(FetchError, match="line break"):
                await _fetch(server, _action(headers={"X-A": "b\r\nX-C: d"}))
            assert server.asked == []

    asyncio.run(main())


def test_nobody_listens() -> None:
    async def main() -> None:
        port = await unused_port()
        with pytest.raises(FetchError) as caught:
            await HttpFetch(CLOCK)(_action(), "127.0.0.1", port)
        address = f"127.0.0.1:{port}"
        assert str(caught.value) == f'Get "http://{address}/": dial tcp {address}: connect: connection refused'

    asyncio.run(main())


def test_a_server_that_hangs_up() -> None:
    async def main() -> None:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(FetchError) as caught:
            await HttpFetch(CLOCK)(_action(), "127.0.0.1", port)
        assert str(caught.value) == f'Get "http://127.0.0.1:{port}/": EOF'
        server.close()
        await CLOCK.sleep(0.01)

    asyncio.run(main())


def test_https_to_a_server_without_it() -> None:
    async def main() -> None:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read(100)
            writer.write(b"HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n")
            writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(FetchError) as caught:
            await HttpFetch(CLOCK)(_action(scheme="HTTPS"), "127.0.0.1", port)
        why = "http: server gave HTTP response to HTTPS client"
        assert str(caught.value) == f'Get "https://127.0.0.1:{port}/": {why}'
        server.close()
        await CLOCK.sleep(0.01)

    asyncio.run(main())
