"""Groups that volumes name."""

from pathlib import Path

import pytest

from pilothouse.api.types.core_v1 import PersistentVolume
from pilothouse.kubelet.volume import HostVolume
from pilothouse.kubelet.volume_groups import ANNOTATION, group_of, with_groups


@pytest.mark.parametrize(("text", "group"), [("4321", 4321), ("", None), ("me", None), ("-1", None)])
def test_the_group_of_a_volume(text: str, group: int | None) -> None:
    assert group_of(PersistentVolume({"metadata": {"annotations": {ANNOTATION: text}}})) == group
    assert group_of(PersistentVolume({"metadata": {}})) is None


@pytest.mark.parametrize(("groups", "found"), [((None,), [1, 2]), ((3, None, 2, 4), [1, 2, 3, 4])])
def test_processes_are_in_the_groups_of_their_volumes(groups: tuple[int | None, ...], found: list[int]) -> None:
    config = {"linux": {"security_context": {"supplemental_groups": [1, 2], "privileged": False}, "resources": {}}}
    volumes = {str(number): HostVolume(Path("/v"), group=group) for number, group in enumerate(groups)}
    given = with_groups(config, volumes)
    assert given["linux"] == {
        "security_context": {"supplemental_groups": found, "privileged": False}, "resources": {},
    }  # fmt: skip
    assert config["linux"]["security_context"]["supplemental_groups"] == [1, 2]
