"""A Deployment of 1,000 replicas, from its creation until all Pod objects exist, in processes as `up` makes them.

The pods name a scheduler that does not exist, so that nothing else happens to them meanwhile.
"""

import asyncio
import json
import time

import uvloop
from measuring.process import cpu
from measuring.table import heading, line
from measuring.whole import Whole, cluster

REPLICAS, ROUNDS = 1000, 3
JSON = {"accept": "application/json", "content-type": "application/json"}
APPS = "/apis/apps/v1/namespaces/default/deployments"
PODS = "/api/v1/namespaces/default/pods"


def deployment(name: str) -> dict[str, object]:
    template = {
        "metadata": {"labels": {"app": name}},
        "spec": {"schedulerName": "nobody", "containers": [{"name": "c", "image": "registry.example.com/app:1"}]},
    }
    spec = {"replicas": REPLICAS, "selector": {"matchLabels": {"app": name}}, "template": template}
    return {"metadata": {"name": name}, "spec": spec}


async def made(whole: Whole, pids: dict[str, int], name: str) -> tuple[float, float, float]:
    """Seconds by the clock, of CPU in the controllers, of CPU in the API server."""
    transport = whole.transport()
    roles = ("control", "apiserver")
    seen = 0
    target = f"{PODS}?watch=1&labelSelector=app%3D{name}&resourceVersion=0"
    async with transport.stream("GET", target, JSON) as answer:
        before, begin = [cpu(pids[role]) for role in roles], time.perf_counter()
        sent = await transport.send("POST", APPS, JSON, json.dumps(deployment(name)).encode())
        assert sent.status == 201, sent.body
        async for piece in answer.body:
            seen += piece.count(b'"type":"ADDED"')
            if seen >= REPLICAS:
                break
    wall = time.perf_counter() - begin
    control, server = (cpu(pids[role]) - earlier for role, earlier in zip(roles, before, strict=True))
    await transport.send("DELETE", f"{APPS}/{name}", JSON)
    for _ in range(300):
        if b'"items":[]' in (await transport.send("GET", f"{PODS}?limit=1", JSON)).body:
            break
        await asyncio.sleep(0.2)
    await transport.close()
    return wall, control, server


async def run(whole: Whole) -> None:
    pids = whole.pids()
    rounds = [await made(whole, pids, f"round-{number}") for number in range(ROUNDS)]
    line("all pods exist, by the clock", min(wall for wall, _, _ in rounds), "0.5 s", "0.8–2.1 s")
    line("CPU of the controllers", min(control for _, control, _ in rounds), "0.3 s", "0.34–0.56 s")
    line("CPU of the API server", min(server for _, _, server in rounds), "0.4 s", "0.86–1.3 s")


if __name__ == "__main__":
    heading(f"Deployment of {REPLICAS:,} replicas")
    with cluster("--no-node") as started:
        uvloop.run(run(started))
