"""Links to logs come and go with the containers, as upstream's kuberuntime has those in /var/log/containers."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest

from kubelet.harness import FakeNode, pod, run
from pilothouse.api.machinery.view import JsonObject
from pilothouse.api.types.core_v1 import Pod
from pilothouse.kubelet.cri.interface import Container, ContainerState, CriError, CriNotFound
from pilothouse.kubelet.layout import Layout
from pilothouse.kubelet.log_links import LogLinks, link_name
from pilothouse.runtime.clock import SystemClock
from pilothouse.testing.fake_cri import FakeCri

ID = "0123456789ab"
ONE = Path("one.log")


def labels(name: str = "web", container: str = "app") -> dict[str, str]:
    return {
        "io.kubernetes.pod.name": name, "io.kubernetes.pod.namespace": "default",
        "io.kubernetes.container.name": container,
    }  # fmt: skip


@pytest.mark.parametrize(("name", "expected"), [
    ("web", f"web_default_app-{ID}.log"),
    ("w" * 250, "w" * 250 + "_.log"),  # no longer than a file's name may be
])  # fmt: skip
def test_names(name: str, expected: str) -> None:
    assert link_name(labels(name), ID) == expected


def test_they_lie_beside_the_logs_unless_told_otherwise() -> None:
    assert Layout(Path("/k"), Path("/var/log/pods")).log_links == Path("/var/log/containers")
    assert Layout(Path("/k"), Path("/var/log/pods"), Path("/l")).log_links == Path("/l")


def test_no_log_no_link_and_a_directory_that_cannot_be_made_stops_nothing(tmp_path: Path) -> None:
    LogLinks(tmp_path / "containers").make(labels(), ID, tmp_path / ONE)
    assert list(tmp_path.iterdir()) == []
    (tmp_path / ONE).touch()
    LogLinks(tmp_path / ONE).make(labels(), ID, tmp_path / ONE)
    assert (tmp_path / ONE).is_file()


def test_with_a_pod_go_the_links_that_were_its_own(tmp_path: Path) -> None:
    links, whose = LogLinks(tmp_path / "containers"), pod()
    for number, of in enumerate(("uid-web", "uid-next")):
        (tmp_path / "logs" / of / "app").mkdir(parents=True)
        (tmp_path / "logs" / of / "app" / "0.log").touch()
        links.make(labels(), f"{ID}{number}", tmp_path / "logs" / of / "app" / "0.log")
    links.make(labels("web-2"), ID, tmp_path / "logs" / "uid-web" / "app" / "0.log")
    (tmp_path / "containers" / "web_default_file.log").touch()
    links.forget_all(Pod(whose), tmp_path / "logs" / "uid-web")
    assert names(tmp_path) == [f"web-2_default_app-{ID}.log", f"web_default_app-{ID}1.log", "web_default_file.log"]


def names(root: Path) -> list[str]:
    return sorted(path.name for path in (root / "containers").iterdir())


class Knowing(FakeCri):
    """Knows containers by their states."""

    states: dict[str, ContainerState | CriError]

    async def container_status(self, container_id: str) -> Container:
        found = self.states.get(container_id, CriNotFound("NOT_FOUND", "no such container"))
        if isinstance(found, CriError):
            raise found
        return Container(container_id, "s", "app", 0, found, 0.0)


@pytest.mark.parametrize(
    ("known", "stays"),
    [
        (CriNotFound("NOT_FOUND", ""), False),
        (ContainerState.EXITED, False),
        (ContainerState.RUNNING, True),  # its log is being rotated
        (CriError("UNAVAILABLE", "starting"), True),  # upstream removes it, assumed to be no promise
    ],
)
def test_dead_links_are_swept(tmp_path: Path, known: ContainerState | CriError, stays: bool) -> None:
    links, cri = LogLinks(tmp_path / "containers"), Knowing(SystemClock())
    cri.states = {ID: known}
    asyncio.run(links.sweep(cri))  # where there are none
    (tmp_path / ONE).touch()
    for container_id in (ID, "short"):
        links.make(labels(), container_id, tmp_path / ONE)
    (tmp_path / "containers" / "other").symlink_to("nowhere")
    asyncio.run(links.sweep(cri))
    assert len(names(tmp_path)) == 3
    (tmp_path / ONE).unlink()
    asyncio.run(links.sweep(cri))
    assert names(tmp_path) == ["other", *([f"web_default_app-{ID}.log"] if stays else [])]


class Writing(FakeCri):
    """Writes a log."""

    async def create_container(self, sandbox_id: str, config: JsonObject, sandbox_config: JsonObject) -> str:
        made = await super().create_container(sandbox_id, config, sandbox_config)
        path = Path((await self.container_status(made)).log_path)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()  # noqa: ASYNC240 - a fake
        return made


def targets(root: Path) -> Sequence[str]:
    return [str(path.readlink().relative_to(root / "logs")) for path in sorted((root / "containers").iterdir())]


def test_a_container_has_one_from_its_start_until_it_is_forgotten(tmp_path: Path) -> None:
    async def story(node: FakeNode) -> None:
        node.cri = node.runtime = Writing(node.clock, present=node.cri.present)
        node.add(pod())
        await node.until(lambda: bool(node.state()["ready"]))
        assert targets(tmp_path) == ["default_web_uid-web/app/0.log"]
        assert names(tmp_path) == [f"web_default_app-{node.state()['containerID'].partition('//')[2]}.log"]
        for restarts in (1, 2):
            node.cri.end("app", 1)
            await node.until(lambda: node.state()["restartCount"] == restarts and node.state()["ready"])  # noqa: B023
        assert targets(tmp_path) == ["default_web_uid-web/app/1.log", "default_web_uid-web/app/2.log"]
        node.delete_pod("web")
        await node.until(lambda: not node.pods)
        assert targets(tmp_path) == []

    run(tmp_path, story)
