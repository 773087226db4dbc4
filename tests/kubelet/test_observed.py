"""What is asked of the runtime to know how a pod is."""

from fakes.cri_server import CriServer
from kubelet.cri.serving import running, serve
from pilothouse.kubelet.cri.client import CriClient
from pilothouse.kubelet.observed import observe
from pilothouse.testing.fake_cri import FakeCri


def test_what_does_not_change_is_asked_for_once() -> None:
    async def story(cri: CriClient, server: CriServer, fake: FakeCri) -> None:
        await running(cri)
        first = await observe(cri, "uid-web", {})
        assert first.sandbox is not None
        assert first.sandbox.ips == ("10.88.0.2",)
        fake.end("app", 3)
        ended = await observe(cri, "uid-web", {}, first.sandbox)
        assert ended.sandbox == first.sandbox
        server.asked.clear()
        again = await observe(cri, "uid-web", {run.id: run for run in ended.containers}, first.sandbox)
        assert again == ended
        assert [name for name, _ in server.asked] == ["ListPodSandbox", "ListContainers"]

    serve(story)


def test_addresses_are_those_of_the_sandbox_that_is_ready() -> None:
    async def story(cri: CriClient, server: CriServer, fake: FakeCri) -> None:
        await running(cri)
        old = (await observe(cri, "uid-web", {})).sandbox
        assert old is not None
        fake.lose_sandboxes()
        lost = await observe(cri, "uid-web", {}, old)
        assert lost.sandbox is not None
        assert not lost.sandbox.ready
        assert lost.sandbox.ips == ()
        await running(cri)
        new = (await observe(cri, "uid-web", {}, old)).sandbox
        assert new is not None
        assert new.id != old.id
        assert new.ips == ("10.88.0.3",)

    serve(story)
