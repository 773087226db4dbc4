"""A server on the loopback that answers HTTP by a table, for those who ask it."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from pilothouse.runtime.clock import SystemClock


@dataclass
class Web:
    """What is served where, and what was asked."""

    port: int
    answers: Mapping[str, bytes]
    asked: list[str] = field(default_factory=list)

    @property
    def lines(self) -> list[list[str]]:
        """Request lines and headers, as they came."""
        return [head.split("\r\n")[:-2] for head in self.asked]


def answer(status: int, body: str = "", **headers: str) -> bytes:
    """One whole answer."""
    fields = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
    return f"HTTP/1.1 {status} X\r\nContent-Length: {len(body)}\r\n{fields}\r\n{body}".encode()


@asynccontextmanager
async def web(answers: Mapping[str, bytes], tls: ssl.SSLContext | None = None) -> AsyncIterator[Web]:
    """Serve `answers` by target; silence for others. The server leaves its connections open."""
    served = Web(0, answers)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        served.asked.append(head)
        writer.write(answers.get(head.split()[1], b""))
        with suppress(ConnectionError):
            await reader.read()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls)
    served.port = server.sockets[0].getsockname()[1]
    try:
        yield served
    finally:
        server.close()
        await SystemClock().sleep(0.01)


async def unused_port() -> int:
    """A port that nobody listens on."""
    server = await asyncio.start_server(lambda _reader, _writer: None, "127.0.0.1", 0)
    port: int = server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()
    return port
