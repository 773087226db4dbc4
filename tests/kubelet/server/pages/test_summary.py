"""/stats/summary over the kubelet's API."""

import asyncio
from pathlib import Path

import orjson

from kubelet.server.harness import node


def test_it_is_served_whole_or_in_short(tmp_path: Path) -> None:
    async def main() -> None:
        async with node(tmp_path) as one:
            status, text, response = await one.ask("/stats/summary")
            found = orjson.loads(text)
            assert (status, response.content_type) == (200, "application/json")
            assert found["node"]["nodeName"] == "n1"
            assert found["node"]["startTime"] == "1970-01-01T00:00:01Z"
            assert found["node"]["fs"]["capacityBytes"] > 0
            assert found["node"]["rlimit"]["maxpid"] > found["node"]["rlimit"]["curproc"] > 0
            (pod,) = found["pods"]
            assert pod["podRef"] == {"name": "web", "namespace": "shop", "uid": "uid-web"}
            assert [container["name"] for container in pod["containers"]] == ["app"]
            short = orjson.loads((await one.ask("/stats/summary?only_cpu_and_memory=true", "POST"))[1])
            assert "fs" not in short["node"]
            assert short["pods"][0]["containers"][0]["memory"]["workingSetBytes"] == 0

    asyncio.run(main())


def test_nobody_sees_it_without_permission(tmp_path: Path) -> None:
    async def main() -> None:
        async with node(tmp_path) as one:
            one.auth.may = ("metrics", "pods")
            assert (await one.ask("/stats/summary"))[0] == 403

    asyncio.run(main())
