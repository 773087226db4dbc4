"""The whole server on real sockets, fed by an API."""

import asyncio
import socket
from pathlib import Path
from typing import cast

import dnslib
import pytest

from fakes.api import FakeApi
from pilothouse.client.informer import Informers
from pilothouse.dns.cache import Cache
from pilothouse.dns.forward import TRY, Forwarder, ForwardError, Upstream
from pilothouse.dns.main import DnsConfig, follow, machine_resolvers, run
from pilothouse.dns.manifests import manifests
from pilothouse.dns.resolve import Resolution
from pilothouse.dns.server import Address, Server
from pilothouse.dns.wire import parse_query
from pilothouse.dns.zone import Zone
from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import SystemClock
from pilothouse.runtime.tasks import Tasks


class Upstreams(asyncio.DatagramProtocol):
    """A resolver that knows one name, sends lies first, and wants TCP for the rest."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        asked = dnslib.DNSRecord.parse(data)
        lie = asked.reply()
        lie.header.id ^= 1
        lie.add_answer(dnslib.RR(asked.q.qname, rdata=dnslib.A("6.6.6.6")))
        self.transport.sendto(lie.pack(), addr)
        truth = asked.reply()
        if str(asked.q.qname).startswith("long"):
            truth.header.tc = 1
        else:
            truth.add_answer(dnslib.RR(asked.q.qname, ttl=9, rdata=dnslib.A("192.0.2.1")))
        self.transport.sendto(truth.pack(), addr)


async def by_stream(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    asked = dnslib.DNSRecord.parse(await reader.readexactly(int.from_bytes(await reader.readexactly(2), "big")))
    answer = asked.reply()
    answer.add_answer(dnslib.RR(asked.q.qname, ttl=9, rdata=dnslib.A("192.0.2.2")))
    packet = answer.pack()
    writer.write(len(packet).to_bytes(2, "big") + packet)
    writer.close()


async def udp(address: Address, name: str) -> dnslib.DNSRecord:
    loop = asyncio.get_running_loop()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.setblocking(False)
        sock.connect((address.host, address.port))
        sock.send(dnslib.DNSRecord.question(name).pack())
        return dnslib.DNSRecord.parse(await loop.sock_recv(sock, 4096))


def test_from_a_service_to_an_answer() -> None:
    async def scenario() -> None:
        clock, chance = SystemClock(), Chance(1)
        api = FakeApi(clock)
        api.add("v1", "Namespace", {"metadata": {"name": "ns"}})
        api.add("v1", "Service", {"metadata": {"name": "web", "namespace": "ns"}, "spec": {"clusterIP": "10.96.0.7"}})
        loop = asyncio.get_running_loop()
        streams = await asyncio.start_server(by_stream, "127.0.0.1", 0)
        port = streams.sockets[0].getsockname()[1]
        outside, _ = await loop.create_datagram_endpoint(Upstreams, local_addr=("127.0.0.1", port))
        zone = Zone()
        async with Tasks() as tasks:
            informers = Informers(api.client(), clock, tasks)
            follow(informers, zone)
            await informers.synced()
            forwarder = Forwarder([Upstream("127.0.0.1", port)], clock, chance)
            async with Server(Resolution(zone, Cache(clock), forwarder), (Address("127.0.0.1", 0),), clock) as server:
                here = server.bound[0]
                assert str((await udp(here, "web.ns.svc.cluster.local")).a.rdata) == "10.96.0.7"
                assert str((await udp(here, "example.org")).a.rdata) == "192.0.2.1"
                assert str((await udp(here, "long.example.org")).a.rdata) == "192.0.2.2"
                reader, writer = await asyncio.open_connection(here.host, here.port)
                for name in ("web.ns.svc.cluster.local", "example.org"):
                    packet = dnslib.DNSRecord.question(name).pack()
                    writer.write(len(packet).to_bytes(2, "big") + packet)
                    length = int.from_bytes(await reader.readexactly(2), "big")
                    assert dnslib.DNSRecord.parse(await reader.readexactly(length)).rr
                writer.close()
                api.remove("services", "ns", "web")
                while zone.answer("web.ns.svc.cluster.local", "A").records:
                    await clock.sleep(0.01)
                assert (await udp(here, "web.ns.svc.cluster.local")).header.rcode == 3
        outside.close()
        streams.close()

    asyncio.run(scenario())


def test_slices_of_a_headless_service_come_and_go() -> None:
    async def scenario() -> None:
        clock = SystemClock()
        api = FakeApi(clock)
        spec = {"clusterIP": "None"}
        api.add("v1", "Service", {"metadata": {"name": "db", "namespace": "ns"}, "spec": spec})
        metadata = {"name": "db-1", "namespace": "ns", "labels": {"kubernetes.io/service-name": "db"}}
        endpoints = [{"addresses": ["10.1.0.1"], "conditions": {"ready": True}}]
        zone = Zone()
        async with Tasks() as tasks:
            informers = Informers(api.client(), clock, tasks)
            follow(informers, zone)
            await informers.synced()
            name = "db.ns.svc.cluster.local"
            assert not zone.answer(name, "A").records
            body = {"metadata": metadata, "addressType": "IPv4", "endpoints": endpoints}
            api.add("discovery.k8s.io/v1", "EndpointSlice", body)
            while not zone.answer(name, "A").records:
                await clock.sleep(0.01)
            api.remove("endpointslices", "ns", "db-1")
            while zone.answer(name, "A").records:
                await clock.sleep(0.01)

    asyncio.run(scenario())


def test_silent_resolver_is_given_up() -> None:
    class Hasty(SystemClock):
        def timeout(self, seconds: float | None) -> asyncio.Timeout:
            assert seconds == TRY
            return super().timeout(0.02)

    async def scenario() -> None:
        loop = asyncio.get_running_loop()
        deaf, _ = await loop.create_datagram_endpoint(asyncio.DatagramProtocol, local_addr=("127.0.0.1", 0))
        upstream = Upstream("127.0.0.1", deaf.get_extra_info("sockname")[1])
        query = parse_query(bytes(dnslib.DNSRecord.question("example.org").pack()))
        assert query is not None
        with pytest.raises(ForwardError):
            await Forwarder([upstream], Hasty(), Chance(1)).ask(query)
        deaf.close()

    asyncio.run(scenario())


def test_an_address_may_be_bound_before_it_is_there() -> None:
    async def scenario() -> None:
        clock = SystemClock()
        resolution = Resolution(Zone(), Cache(clock), Forwarder([], clock, Chance(1)))
        async with Server(resolution, (Address("192.0.2.77", 0),), clock) as server:
            assert server.bound[0].port

    asyncio.run(scenario())


def test_resolvers_of_the_machine(tmp_path: Path) -> None:
    file = tmp_path / "resolv.conf"
    file.write_text("# x\nsearch a b\nnameserver 192.0.2.1\nnameserver\nnameserver nonsense\nnameserver 10.96.0.10\n")
    assert machine_resolvers(file, but=["10.96.0.10"]) == (Upstream("192.0.2.1"),)
    assert machine_resolvers(tmp_path / "none") == ()


def test_manifests_agree_on_the_address() -> None:
    kinds = {m["kind"]: m for m in manifests("10.96.0.10")}
    assert kinds["Service"]["spec"]["clusterIP"] == "10.96.0.10"
    assert kinds["EndpointSlice"]["endpoints"][0]["addresses"] == ["10.96.0.10"]
    assert kinds["ClusterRoleBinding"]["roleRef"]["name"] == kinds["ClusterRole"]["metadata"]["name"]


def test_the_whole_component_without_resolvers_and_never_asking_itself() -> None:
    async def scenario() -> None:
        clock = SystemClock()
        api = FakeApi(clock)
        for manifest in manifests("10.96.0.10"):
            api.add(manifest["apiVersion"], manifest["kind"], manifest)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            here = Address("127.0.0.1", free.getsockname()[1])
        ready = asyncio.Event()
        config = DnsConfig(listen=(here,), upstreams=(Upstream(here.host, here.port),))
        async with Tasks() as tasks:
            tasks.spawn(run(config, api.client(), clock, Chance(1), ready.set), name="dns")
            await ready.wait()
            assert str((await udp(here, "kube-dns.kube-system.svc.cluster.local")).a.rdata) == "10.96.0.10"
            assert str((await udp(here, "ns.dns.cluster.local")).a.rdata) == "10.96.0.10"
            assert (await udp(here, "example.org")).header.rcode == 2
        async with Tasks() as tasks:
            ready.clear()
            tasks.spawn(run(DnsConfig(listen=()), api.client(), clock, Chance(1), ready.set), name="dns")
            await ready.wait()

    asyncio.run(scenario())
