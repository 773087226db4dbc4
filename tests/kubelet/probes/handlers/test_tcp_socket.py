"""Outcomes and messages of upstream's pkg/probe/tcp."""

import asyncio
import socket

from kubelet.probes.asking import means, target
from kubelet.web import unused_port, web
from pilothouse.kubelet.probes.handler import Answer, Outcome
from pilothouse.kubelet.probes.handlers.tcp_socket import TcpSocketHandler


def test_a_port_that_listens() -> None:
    async def main() -> None:
        async with web({}) as server:
            handler = TcpSocketHandler(means())
            assert await handler.ask(target(tcpSocket={"port": server.port})) == Answer(Outcome.SUCCESS)
            elsewhere = target(tcpSocket={"port": server.port, "host": "localhost"})
            assert await handler.ask(elsewhere) == Answer(Outcome.SUCCESS)

    asyncio.run(main())


def test_a_port_that_does_not() -> None:
    async def main() -> None:
        port = await unused_port()
        found = await TcpSocketHandler(means()).ask(target(tcpSocket={"port": port}))
        assert found == Answer(Outcome.FAILURE, f"dial tcp 127.0.0.1:{port}: connect: connection refused")

    asyncio.run(main())


def test_a_port_that_is_silent() -> None:
    """A listener whose queue is full answers nothing: not even that it refuses."""

    async def main() -> None:
        with socket.socket() as full, socket.socket() as first, socket.socket() as second:
            full.bind(("127.0.0.1", 0))
            full.listen(0)
            port = full.getsockname()[1]
            for one in (first, second):
                one.setblocking(False)
                one.connect_ex(("127.0.0.1", port))
            found = await TcpSocketHandler(means()).ask(target(tcpSocket={"port": port}))
        assert found == Answer(Outcome.FAILURE, f"dial tcp 127.0.0.1:{port}: i/o timeout")

    asyncio.run(main())
