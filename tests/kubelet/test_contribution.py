"""What is handed out on the node gets into the configuration of a container's run."""

from pathlib import Path

from kubelet.harness import FakeNode, pod, run
from pilothouse.api.types.core_v1 import Container, Pod
from pilothouse.kubelet.contribution import Contribution
from pilothouse.kubelet.environment import ConfigError

DEVICE = {"container_path": "/dev/gpu0", "host_path": "/dev/gpu0", "permissions": "rw"}
MOUNT = {"container_path": "/lib/gpu", "host_path": "/opt/gpu", "readonly": True, "propagation": 0}
GIVEN = Contribution(
    devices=(DEVICE,), mounts=(MOUNT,), envs={"GPU": "0", "MODE": "fast"}, annotations={"gpu": "yes"},
    cdi=("vendor.com/gpu=0",), cpuset_cpus="2-3", cpuset_mems="1",
)  # fmt: skip


class Plugin:
    """Gives to containers called `app`, once it has something."""

    def __init__(self) -> None:
        self.ready = False

    async def contribute(self, pod: Pod, container: Container) -> Contribution:
        if not self.ready:
            raise ConfigError(f"no device for {pod.metadata.name}")
        return GIVEN if container.name == "app" else Contribution()


def test_a_container_waits_for_what_it_is_given_and_gets_it(tmp_path: Path) -> None:
    async def story(node: FakeNode) -> None:
        node.contributor = plugin = Plugin()
        app = {"name": "app", "image": "app:1", "env": [{"name": "MODE", "value": "slow"}]}
        node.add(pod(containers=[app, {"name": "other", "image": "app:1"}]))
        await node.until(lambda: "Failed" in node.told.reasons())
        await node.until(lambda: "message" in node.state()["state"]["waiting"])
        waiting = {"reason": "CreateContainerConfigError", "message": "no device for web"}
        assert node.state()["state"]["waiting"] == waiting
        assert ("Warning", "Failed", "Error: no device for web") in node.told.events
        plugin.ready = True
        await node.until(lambda: node.pods["web"].status.phase == "Running")
        runs = {run.name: node.cri.config_of(run.id) for run in await node.cri.containers()}
        given, other = runs["app"], runs["other"]
        assert given["devices"] == [DEVICE]
        assert given["mounts"] == [MOUNT, *given["mounts"][1:]]
        assert len(given["mounts"]) > 1
        variables = [(one["key"], one["value"]) for one in given["envs"]]
        assert variables[:2] == [("GPU", "0"), ("MODE", "fast")]
        assert dict(variables)["MODE"] == "slow"
        assert given["annotations"]["gpu"] == "yes"
        assert given["annotations"].keys() - other["annotations"].keys() == {"gpu"}
        assert given["CDI_devices"] == [{"name": "vendor.com/gpu=0"}]
        resources = given["linux"]["resources"]
        assert (resources["cpuset_cpus"], resources["cpuset_mems"]) == ("2-3", "1")
        assert "security_context" in given["linux"]
        assert {"devices", "CDI_devices"} & other.keys() == set()
        assert "cpuset_cpus" not in other["linux"]["resources"]

    run(tmp_path, story)
