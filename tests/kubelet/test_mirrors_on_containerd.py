"""Registries that stand in for others: a real containerd asks them for images."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from contract_images.archive import Image, Layer, write
from contract_images.registry import Content, serve, stand_in_for
from kubelet.test_on_containerd import machine  # noqa: F401 - a fixture
from pilothouse.kubelet.containerd import Containerd, ContainerdConfig
from pilothouse.kubelet.cri.client import CriClient
from pilothouse.runtime.clock import SystemClock

pytestmark = pytest.mark.node


def test_images_come_from_where_the_directories_say(machine: ContainerdConfig, tmp_path: Path) -> None:  # noqa: F811
    layer = Layer()
    layer.file("/one", "1")
    write({"r.example/team/a:1": Image([layer])}, tmp_path / "archive.tar")
    content, mirrors = Content.read(tmp_path / "archive.tar", "r.example/team/a:1"), tmp_path / "mirrors"
    config = replace(machine, mirrors=mirrors)

    async def story() -> None:
        await Containerd(config, SystemClock()).start()
        async with CriClient(str(config.socket), SystemClock()) as cri:
            for registry in ("r.example", "own.example"):
                assert (await cri.pull_image(f"{registry}/team/a:1", None, {})).startswith("sha256:")

    with serve(content) as url:
        stand_in_for("r.example", url, mirrors)
        stand_in_for("own.example", url, machine.registry_config)
        asyncio.run(story())
