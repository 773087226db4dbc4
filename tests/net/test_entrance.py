import asyncio
import shutil

import pytest

from fakes.http2_client import CLOCK, authority, client_tls, server_tls
from pilothouse.net.http import Request, Response
from pilothouse.net.pki import Usage
from pilothouse.net.server import serve
from pilothouse.net.tls import ServerTls


async def handle(request: Request) -> Response:
    return Response(200, f"{request.method} {request.target} {len(await request.read(1000))}".encode())


@pytest.mark.parametrize(
    ("offered", "chosen"),
    [(["h2", "http/1.1"], "h2"), (["http/1.1", "h2"], "h2"), (["http/1.1"], "http/1.1"), ([], None)],
)
def test_the_handshake_decides(offered: list[str], chosen: str | None) -> None:
    async def main() -> None:
        async with serve(handle, "127.0.0.1", 0, server_tls(), CLOCK, grace=0.1) as listening, CLOCK.timeout(10):
            reader, writer = await asyncio.open_connection("127.0.0.1", listening.port, ssl=client_tls(*offered))
            assert writer.get_extra_info("ssl_object").selected_alpn_protocol() == chosen
            if chosen == "h2":
                assert (await reader.readexactly(9))[3] == 4, "SETTINGS come first"
            else:
                writer.write(b"GET /a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
                assert (await reader.read()).endswith(b"GET /a 0")
            writer.transport.abort()
            while await reader.read(1000):
                pass

    asyncio.run(main())


def test_without_being_asked_for_it_is_not_offered() -> None:
    async def main() -> None:
        pair = authority().issue("server", (), (), ["127.0.0.1"], usage=Usage.SERVER, now=CLOCK.now())
        plain = ServerTls(pair)
        async with serve(handle, "127.0.0.1", 0, plain, CLOCK, grace=0.1) as listening:
            reader, writer = await asyncio.open_connection(
                "127.0.0.1", listening.port, ssl=client_tls("h2", "http/1.1")
            )
            assert writer.get_extra_info("ssl_object").selected_alpn_protocol() == "http/1.1"
            writer.transport.abort()
            while await reader.read(1000):
                pass

    asyncio.run(main())


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["--http2"], b"GET /a?b=c 0 2"),
        (["--http2", "-d", "xyz"], b"POST /a?b=c 3 2"),
        (["--http1.1"], b"GET /a?b=c 0 1.1"),
    ],
)
def test_curl(words: list[str], expected: bytes) -> None:
    async def main() -> None:
        async with serve(handle, "127.0.0.1", 0, server_tls(), CLOCK, grace=0.1) as listening:
            command = ["curl", "-sk", *words, "-w", " %{http_version}", f"https://127.0.0.1:{listening.port}/a?b=c"]
            process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
            printed, _ = await process.communicate()
            assert printed == expected

    asyncio.run(main())
