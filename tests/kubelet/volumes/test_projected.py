"""Several sources in one directory, above all the token that every pod gets."""

import os
from pathlib import Path

import pytest

from kubelet.observing import containers, pod
from kubelet.volumes.setting_up import FACTS, GROUP, Place, mode, texts
from pilothouse.api.machinery.view import JsonObject
from pilothouse.kubelet.pod_volumes import Volumes
from pilothouse.kubelet.volume import VolumeError
from pilothouse.kubelet.volumes.projected import ProjectedVolume
from pilothouse.runtime.clock import Clock
from pilothouse.testing import loop

TOKEN = {"serviceAccountToken": {"path": "token"}}
ME = os.geteuid()


def one(*sources: JsonObject, **fields: int) -> list[JsonObject]:
    return [{"name": "v", "projected": {"sources": list(sources), **fields}}]


def test_sources_are_joined_and_the_later_wins(tmp_path: Path) -> None:
    place = Place(tmp_path)
    place.objects.config_maps["c"] = {"data": {"a": "map", "b": "map"}}
    place.objects.secrets["s"] = {"data": {"b": "c2VjcmV0"}}
    made = place.set_up(pod(volumes=one(
        TOKEN, {"configMap": {"name": "c"}}, {"secret": {"name": "s"}},
        {"downwardAPI": {"items": [{"path": "name", "fieldRef": {"fieldPath": "metadata.name"}}]}},
    )))  # fmt: skip
    assert made == {"v": place.layout.volume("uid-web", "projected", "v")}
    assert place.mounter.is_mounted(made["v"])
    assert texts(made["v"]) == {"token": "token-1", "a": "map", "b": "secret", "name": "web"}
    assert mode(made["v"] / "token") == 0o644


@pytest.mark.parametrize(("own", "shared", "expected"), [
    ([None], {}, 0o644),
    ([ME], {}, 0o600),
    ([None], {"runAsUser": ME}, 0o600),
    ([ME, ME], {}, 0o600),
    ([ME, None], {}, 0o644),
    ([None], {"fsGroup": GROUP}, 0o640),
    ([ME], {"fsGroup": GROUP}, 0o640),
])  # fmt: skip
def test_a_token_is_for_the_only_user_alone(
    tmp_path: Path, own: list[int | None], shared: JsonObject, expected: int
) -> None:
    contexts = [{} if user is None else {"runAsUser": user} for user in own]
    users = [{**container, "securityContext": context}
             for container, context in zip(containers("a", "b"), contexts, strict=False)]  # fmt: skip
    made = Place(tmp_path).set_up(pod(containers=users, securityContext=shared, volumes=one(TOKEN)))
    found = made["v"] / "token"
    assert mode(found) == expected
    assert found.stat().st_uid == ME


def test_a_token_is_kept(tmp_path: Path) -> None:
    place = Place(tmp_path)
    again = pod(volumes=one(TOKEN))
    assert texts(place.set_up(again, again)["v"]) == {"token": "token-1"}
    assert place.objects.tokens[0]["expirationSeconds"] == 3600


def test_a_mode_for_all(tmp_path: Path) -> None:
    assert mode(Place(tmp_path).set_up(pod(volumes=one(TOKEN, defaultMode=0o440)))["v"] / "token") == 0o440


def test_what_is_missing_or_not_offered_is_said(tmp_path: Path) -> None:
    with pytest.raises(VolumeError, match='configmap "none" not found'):
        Place(tmp_path).set_up(pod(volumes=one({"configMap": {"name": "none"}})))
    with pytest.raises(VolumeError, match="this node does not offer projections of hologram"):
        Place(tmp_path).set_up(pod(volumes=one({"hologram": {"path": "x"}})))


def test_bundles_need_an_api_server(tmp_path: Path) -> None:
    place = Place(tmp_path)

    async def main(clock: Clock, _chance: object) -> None:
        volumes = Volumes([ProjectedVolume], place.layout, place.objects, place.mounter, clock)
        with pytest.raises(VolumeError, match="ClusterTrustBundle projection is not supported in static kubelet mode"):
            await volumes.set_up(pod(volumes=one({"clusterTrustBundle": {"name": "a", "path": "x"}})), FACTS)

    loop.run(main)
