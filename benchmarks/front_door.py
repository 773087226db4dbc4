"""CPU-seconds of the front door for a 1 KB GET over TLS: the budget of the design is 18 to 26 us a request.

The clients run in a process of their own and are not counted. Usage: front_door.py [requests] [clients] [plain]
"""

import asyncio
import os
import ssl
import sys
import time

import uvloop

from pilothouse.net.http import Request, Response
from pilothouse.net.pki import Authority, Usage
from pilothouse.net.server import serve
from pilothouse.net.tls import ServerTls, client_context
from pilothouse.runtime.clock import SystemClock

BODY = bytes(1024)
HEADERS = (
    "Host: 127.0.0.1\r\nAccept: application/json\r\nAccept-Encoding: gzip\r\n"
    "User-Agent: kubectl/v1.33.0 (linux/amd64) kubernetes/0000000\r\n"
)
REQUEST = f"GET /api/v1/namespaces/default/configmaps/example HTTP/1.1\r\n{HEADERS}\r\n".encode()


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


async def main(requests: int, number: int, plain: bool) -> None:
    clock = SystemClock()
    authority = Authority.create("bench", clock.now())
    pair = authority.issue("server", (), (), ["127.0.0.1"], usage=Usage.SERVER, now=clock.now())
    mine = authority.issue("admin", ["system:masters"], usage=Usage.CLIENT, now=clock.now())
    tls = None if plain else ServerTls(pair, authority.certificate)
    context = None if plain else client_context(authority.certificate, mine)
    ready, stop = os.pipe(), os.pipe()
    child = os.fork()
    if child == 0:
        port = int(os.read(ready[0], 10))
        uvloop.run(clients(port, context, requests, number))
        os.write(stop[1], b"x")
        os._exit(0)
    done = asyncio.Event()
    asyncio.get_running_loop().add_reader(stop[0], done.set)
    async with serve(handle, "127.0.0.1", 0, tls, clock) as listening:
        before, wall = time.process_time(), time.perf_counter()
        os.write(ready[1], str(listening.port).encode())
        await done.wait()
        spent, wall = time.process_time() - before, time.perf_counter() - wall
    kind = "plain" if plain else "TLS"
    print(f"{spent / requests * 1e6:.1f} us CPU a request, {requests / wall:.0f} requests/s ({kind}, {number} clients)")


if __name__ == "__main__":
    arguments = [argument for argument in sys.argv[1:] if argument != "plain"]
    total = int(arguments[0]) if arguments else 50_000
    uvloop.run(main(total, int(arguments[1]) if len(arguments) > 1 else 16, "plain" in sys.argv))
    os.wait()
