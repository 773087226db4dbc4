"""What tests of handlers ask with."""

from pathlib import Path
from typing import Any

from pilothouse.api.types.core_v1 import Container, HTTPGetAction
from pilothouse.kubelet.cri.interface import Cri
from pilothouse.kubelet.http_fetch import HttpFetch
from pilothouse.kubelet.probes.handler import Means, Target
from pilothouse.kubelet.probes.tally import Kind
from pilothouse.runtime.clock import Clock, SystemClock
from pilothouse.testing.fake_cri import FakeCri


def target(container_id: str = "container-1", **probe: Any) -> Target:
    """A container with this probe, and a port called `web`."""
    spec = {
        "name": "app",
        "ports": [{"name": "web", "containerPort": 8080}],
        "env": [{"name": "PORT", "value": "8080"}, {"name": "FROM", "valueFrom": {}}],
        "livenessProbe": {"timeoutSeconds": 1, **probe},
    }
    container = Container(spec)
    return Target(container, container_id, "127.0.0.1", Kind.LIVENESS.of(container))


def means(cri: Cri | None = None, clock: Clock | None = None) -> Means:
    """Real connections; a fake runtime."""
    clock = clock or SystemClock()
    return Means(cri or FakeCri(clock), clock, HttpFetch(clock))


async def running_container(cri: FakeCri) -> str:
    """A container that runs in the fake runtime."""
    meta = {"name": "web", "namespace": "default", "uid": "uid-web", "attempt": 0}
    namespaces = {"security_context": {"namespace_options": {"network": 0}}}
    sandbox_config = {"metadata": meta, "labels": {}, "annotations": {}, "linux": namespaces, "log_directory": "/l"}
    sandbox = await cri.run_sandbox(sandbox_config)
    config = {"metadata": {"name": "app", "attempt": 0}, "image": {"image": "app:1"}, "labels": {}, "annotations": {},
              "log_path": str(Path("app") / "0.log")}  # fmt: skip
    container = await cri.create_container(sandbox, config, sandbox_config)
    await cri.start_container(container)
    return container


async def no_fetch(action: HTTPGetAction, host: str, port: int) -> tuple[int, str]:
    """Nothing is there."""
    raise ConnectionRefusedError("nobody is there")
