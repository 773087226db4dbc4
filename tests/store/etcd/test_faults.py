"""What members do to each other and disks to members, seen through the store: clear refusals, no loss, no restart."""

import asyncio
import shutil
import signal
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import TypeVar

import pytest

from fakes.etcd import Etcd, Member, free_ports, new_prefix, skip_without_etcd
from pilothouse.runtime.clock import SystemClock
from pilothouse.store.etcd.store import EtcdStore
from pilothouse.store.interface import Compacted, Event, KeyExists, Record, TooLarge, Unavailable

T = TypeVar("T")
CLOCK = SystemClock()
_STUCK = 300
"""Seconds after which a story counts as stuck. Members of a machine that is busy elect a leader again and again."""
Story = Callable[[EtcdStore], Awaitable[None]]


@pytest.fixture
def three() -> Iterator[Etcd]:
    skip_without_etcd()
    with Etcd.running(3) as etcd:
        yield etcd


def run(etcd: Etcd, story: Story) -> None:
    async def main() -> None:
        async with CLOCK.timeout(_STUCK), EtcdStore(etcd.urls, CLOCK) as store:
            await story(store)

    asyncio.run(main())


async def insisted(ask: Callable[[], Awaitable[T]]) -> T:
    """Ask again until there is an answer."""
    while True:
        try:
            return await ask()
        except Unavailable:
            await CLOCK.sleep(0.1)


async def write_through(store: EtcdStore, key: str) -> Record:
    """Write as a client does that tries again until it is told that it is done."""

    async def write() -> Record:
        found = await store.get(key)
        try:
            return found if found is not None else await store.create(key, b"")
        except KeyExists as late:  # what was said to have timed out came to pass after all
            raise Unavailable from late

    return await insisted(write)


async def heard(events: AsyncIterator[Event], last: str) -> list[Event]:
    """All events up to that of the key `last`."""
    found: list[Event] = []
    while not found or found[-1].key != last:
        found.append(await anext(events))
    return found


async def same_everywhere(etcd: Etcd, expected: list[str]) -> None:
    """Every member has the same records at the same revisions, and they are of these keys."""
    seen = []
    for url in etcd.urls:
        async with EtcdStore([url], CLOCK) as store:
            listing = await insisted(lambda: store.list(""))
            seen.append([(record.key, record.revision, record.value) for record in listing.records])
    assert seen[1:] == seen[:1] * 2
    assert [key for key, _, _ in seen[0]] == expected


def test_one_member_dies_and_nobody_notices_much(three: Etcd) -> None:
    async def story(store: EtcdStore) -> None:
        start = await insisted(store.revision)
        async with store.watch("", after=start) as events:
            for n in range(10):
                await write_through(store, f"/{n:02}")
            three.members[0].kill()
            for n in range(10, 20):
                await write_through(store, f"/{n:02}")
            told = await heard(events, "/19")
        expected = [f"/{n:02}" for n in range(20)]
        assert [event.key for event in told] == expected
        three.members[0].start()
        three.members[0].wait()
        await same_everywhere(three, expected)

    run(three, story)


def test_without_a_quorum_writes_are_refused_and_come_back(three: Etcd) -> None:
    async def story(store: EtcdStore) -> None:
        start = await insisted(store.revision)
        async with store.watch("", after=start) as events:
            await write_through(store, "/before")
            for member in three.members[1:]:
                member.kill()
            calls = (store.create("/lost", b""), store.revision(), store.get("/before"), store.list(""))
            for refused in await asyncio.gather(*calls, return_exceptions=True):
                assert isinstance(refused, Unavailable)
                assert str(refused).startswith("etcdserver: ")
            assert store.trouble
            for member in three.members[1:]:
                member.start()
            await write_through(store, "/zafter")
            told = await heard(events, "/zafter")
        while store.trouble:  # until the next look at etcd, should a call have failed since
            await CLOCK.sleep(0.1)
        expected = [event.key for event in told]
        assert [key for key in expected if key != "/lost"] == ["/before", "/zafter"], "a timed out write may happen"
        await same_everywhere(three, sorted(expected))

    run(three, story)


def test_a_leader_that_stands_still_is_left(three: Etcd) -> None:
    async def story(store: EtcdStore) -> None:
        leader = leader_of(three)
        async with EtcdStore([leader.url, *(url for url in three.urls if url != leader.url)], CLOCK) as client:
            start = await insisted(client.revision)
            async with client.watch("", after=start) as events:
                await write_through(client, "/before")
                assert (await anext(events)).key == "/before"
                leader.signal(signal.SIGSTOP)
                try:
                    await write_through(client, "/during")
                    assert (await anext(events)).key == "/during", "though its stream is not broken"
                finally:
                    leader.signal(signal.SIGCONT)
                await write_through(client, "/zafter")
                assert [event.key for event in await heard(events, "/zafter")] == ["/zafter"]
        await same_everywhere(three, ["/before", "/during", "/zafter"])

    run(three, story)


def leader_of(etcd: Etcd) -> Member:
    if shutil.which("etcdctl") is None:
        pytest.skip("no etcdctl is installed")
    while True:  # there may be none just now
        for member in etcd.members:
            found = ctl(member, "endpoint", "status", "--write-out", "fields")
            facts = dict(line.split(" : ") for line in found.splitlines() if " : " in line)
            if facts['"MemberID"'] == facts['"Leader"']:
                return member


def ctl(member: Member, *arguments: str) -> str:
    patient = ("--dial-timeout", "60s", "--command-timeout", "60s")
    command = ["etcdctl", "--endpoints", member.url, *patient, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=90, check=True, env={"ETCDCTL_API": "3"})
    return done.stdout


def test_a_full_quota_is_told_and_got_over() -> None:
    skip_without_etcd()
    with Etcd.running(more=("--quota-backend-bytes", str(8 << 20))) as etcd:
        (member,) = etcd.members

        async def story(store: EtcdStore) -> None:
            record = await store.create("/a", bytes(1 << 20))
            with pytest.raises(Unavailable) as refused:  # noqa: PT012 - some write of them
                for _ in range(200):  # the quota is looked at only as often as the backend commits
                    record = await store.update("/a", bytes(1 << 20), expected=record.revision)
            assert str(refused.value) == "etcdserver: mvcc: database space exceeded"
            found = await store.get("/a")
            assert found is not None, "what is there can be read"
            assert found.revision in (record.revision, record.revision + 1), "etcd makes the write that it complains of"
            record = found
            await store.compact(record.revision)
            ctl(member, "defrag")
            ctl(member, "alarm", "disarm")
            assert (await store.update("/a", b"", expected=record.revision)).created == record.created

        run(etcd, story)


def test_a_value_that_is_too_large_says_so(etcd: Etcd) -> None:
    async def story(store: EtcdStore) -> None:
        with pytest.raises(TooLarge, match=r"^etcdserver: request is too large$"):
            await store.create("/a", bytes(10_485_760))
        with pytest.raises(TooLarge):
            await store.create("/a", bytes(20 << 20))
        assert store.trouble == ""

    run(etcd, story)


def test_a_lease_that_etcd_has_lost_is_made_again(etcd: Etcd) -> None:
    if shutil.which("etcdctl") is None:
        pytest.skip("no etcdctl is installed")

    async def main() -> None:
        async with CLOCK.timeout(_STUCK), EtcdStore(etcd.urls, CLOCK, prefix=new_prefix()) as store:
            first = await store.create("/a", b"", ttl=3600)
            async with store.watch("", after=first.revision) as events:
                for lease in ctl(etcd.members[0], "lease", "list").split()[3:]:
                    ctl(etcd.members[0], "lease", "revoke", lease)
                assert (await anext(events)).record is None
            assert (await store.create("/b", b"1", ttl=3600)).value == b"1"

    asyncio.run(main())


def test_a_watch_whose_history_is_compacted_while_it_is_away_says_so() -> None:
    skip_without_etcd()
    with Etcd.running() as etcd:
        (member,) = etcd.members

        async def story(store: EtcdStore) -> None:
            async with store.watch("", after=await store.revision()) as events:
                record = await store.create("/a", b"")
                assert (await anext(events)).record == record
                elsewhere = f"http://127.0.0.1:{free_ports(1)[0]}"
                member.kill()
                member.start(elsewhere)
                member.wait(elsewhere)
                async with EtcdStore([elsewhere], CLOCK) as other:
                    last = [await other.create(f"/{n}", b"") for n in range(3)][-1]
                    await other.compact(last.revision)
                member.kill()
                member.start()
                with pytest.raises(Compacted) as refused:
                    await anext(events)
                assert refused.value.oldest == last.revision

        run(etcd, story)
