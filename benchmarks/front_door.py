"""CPU of the front door alone, for a GET of 1 KB by sixteen clients, who run in a process of their own.

Over HTTP/1.1 each has a connection; over HTTP/2 they share one, as its clients do.
"""

import asyncio
import os
import ssl
import time

import uvloop
from measuring.http2 import Http2Transport
from measuring.table import heading, line

from pilothouse.net.http import Request, Response
from pilothouse.net.pki import Authority, Usage
from pilothouse.net.server import serve
from pilothouse.net.tls import ServerTls, client_context
from pilothouse.runtime.clock import SystemClock

ROUNDS, REQUESTS, CLIENTS = 5, 10_000, 16
BODY = bytes(1024)
TARGET = "/api/v1/namespaces/default/configmaps/example"
HEADERS = {
    "accept": "application/json",
    "accept-encoding": "gzip",
    "user-agent": "kubectl/v1.33.0 (linux/amd64) kubernetes/0000000",
}
LINES = "".join(f"{name}: {value}\r\n" for name, value in HEADERS.items())
REQUEST = f"GET {TARGET} HTTP/1.1\r\nHost: 127.0.0.1\r\n{LINES}\r\n".encode()


async def handle(_: Request) -> Response:
    return Response(200, BODY)


async def client(port: int, context: ssl.SSLContext | None, count: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context)
    for _ in range(count):
        writer.write(REQUEST)
        await reader.readuntil(b"\r\n\r\n")
        await reader.readexactly(len(BODY))
    writer.close()


async def clients(port: int, context: ssl.SSLContext | None, requests: int, number: int) -> None:
    async with asyncio.TaskGroup() as group:
        for _ in range(number):
            group.create_task(client(port, context, requests // number))


async def clients_of_http2(port: int, context: ssl.SSLContext | None, requests: int, number: int) -> None:
    assert context is not None

    async def client(connection: Http2Transport) -> None:
        for _ in range(requests // number):
            assert len((await connection.send("GET", TARGET, HEADERS)).body) == len(BODY)

    connection = Http2Transport(port, context)
    async with asyncio.TaskGroup() as group:
        for _ in range(number):
            group.create_task(client(connection))
    await connection.close()


async def measured(encrypted: bool, *, http2: bool = False) -> float:
    """Seconds of CPU a request in the cheapest of the rounds."""
    clock = SystemClock()
    authority = Authority.create("bench", clock.now())
    pair = authority.issue("server", (), (), ["127.0.0.1"], usage=Usage.SERVER, now=clock.now())
    mine = authority.issue("admin", ["system:masters"], usage=Usage.CLIENT, now=clock.now())
    tls = ServerTls(pair, authority.certificate, http2=http2) if encrypted else None
    context = client_context(authority.certificate, mine) if encrypted else None
    ask = clients_of_http2 if http2 else clients
    ready, stop = os.pipe(), os.pipe()
    child = os.fork()
    if child == 0:
        port = int(os.read(ready[0], 10))
        for _ in range(ROUNDS):
            uvloop.run(ask(port, context, REQUESTS, CLIENTS))
            os.write(stop[1], b"x")
        os._exit(0)
    done = asyncio.Event()
    asyncio.get_running_loop().add_reader(stop[0], lambda: os.read(stop[0], 1) and done.set())
    costs = []
    async with serve(handle, "127.0.0.1", 0, tls, clock) as listening:
        before = time.process_time()
        os.write(ready[1], str(listening.port).encode())
        for _ in range(ROUNDS):
            await done.wait()
            done.clear()
            costs.append((time.process_time() - before) / REQUESTS)
            before = time.process_time()
    return min(costs)


if __name__ == "__main__":
    heading("Front door alone")
    line("GET of 1 KB, TLS", uvloop.run(measured(encrypted=True)), "18–26 µs")
    line("GET of 1 KB, plain", uvloop.run(measured(encrypted=False)))
    line("GET of 1 KB, TLS, HTTP/2", uvloop.run(measured(encrypted=True, http2=True)), "100 µs")
    os.wait()
    os.wait()
    os.wait()
