"""Plugins are looked for where they put themselves, and all kinds are known."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from pilothouse.kubelet.parts.plugin_watcher import Plugins
from pilothouse.kubelet.plugins.registration import all_handlers
from pilothouse.runtime.tasks import Tasks
from pilothouse.testing.loop import run


def test_the_directory_is_there_from_the_start(tmp_path: Path) -> None:
    async def story(clock: Any, _chance: object) -> None:
        async with Tasks() as tasks:
            node = cast("Any", SimpleNamespace(
                config=SimpleNamespace(root=tmp_path, node_name="n1"), tasks=tasks, client=None,
                services=SimpleNamespace(clock=clock, storage=None),
            ))  # fmt: skip
            assert "CSIPlugin" in all_handlers(node)
            tasks.spawn(Plugins().run(node), name="plugins")
            await clock.sleep(0.1)

    run(story)
    assert (tmp_path / "plugins_registry").is_dir()
