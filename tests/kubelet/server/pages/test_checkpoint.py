"""/checkpoint: an archive where the runtime makes one, and plain words where not."""

import asyncio
from pathlib import Path

import pytest

from kubelet.server.harness import NodeCri, node


@pytest.mark.parametrize(("target", "status", "words"), [
    ("shop/none/app", 404, "pod does not exist"),
    ("shop/web/none", 404, "container none does not exist"),
    ("shop/web/app?timeout=soon", 404, "cannot parse value of timeout parameter"),
    ("shop/web/app", 500, ("checkpointing of shop/web/app failed (rpc error: code = Unimplemented desc = method "
     "CheckpointContainer not implemented)")),
])  # fmt: skip
def test_what_is_refused(tmp_path: Path, target: str, status: int, words: str) -> None:
    async def main() -> None:
        async with node(tmp_path) as one:
            assert (await one.ask(f"/checkpoint/{target}", "POST"))[:2] == (status, words)

    asyncio.run(main())


def test_a_container_that_does_not_run(tmp_path: Path) -> None:
    async def main() -> None:
        async with node(tmp_path) as one:
            one.cri.runs.clear()
            assert (await one.ask("/checkpoint/shop/web/app", "POST"))[:2] == (
                500, "checkpointing of shop/web/app failed (container app not found)",
            )  # fmt: skip

    asyncio.run(main())


def test_the_archive_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, str, float]] = []

    async def write(_: NodeCri, container_id: str, location: str, timeout: float) -> None:
        asked.append((container_id, location, timeout))

    async def main() -> None:
        async with node(tmp_path) as one:
            monkeypatch.setattr(NodeCri, "checkpoint", write)
            status, text, _ = await one.ask("/checkpoint/shop/web/app?timeout=7&timeout=9", "POST")
            ((container, location, timeout),) = asked
            assert (status, container, timeout) == (200, "c1", 9.0)
            assert location.startswith(f"{tmp_path}/checkpoints/checkpoint-web_shop-app-20")
            assert text == f'{{"items":["{location}"]}}'
            assert (tmp_path / "checkpoints").stat().st_mode & 0o777 == 0o700

    asyncio.run(main())
