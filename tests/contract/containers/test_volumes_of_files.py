"""sig-storage: files of ConfigMaps and Secrets, in volumes of their own and in projected ones, read once."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from _pytest.mark import ParameterSet

from contract.api import Api, Json
from contract.conformance import Checks, conformance
from contract.images import BUSYBOX
from contract.namespaces import NewNamespace
from contract.side_by_side import side_by_side
from contract.volumes import CONFIG_MAP, SECRET, SOURCES, Source, facts
from contract.workloads import Ended, Workloads, container, pod

PLACE = "/etc/volume"
WORDS = {0o400: "-r--------", 0o440: "-r--r-----", None: "-rw-r--r--"}
NOBODY, GROUP = 1000, 1001


@dataclass(frozen=True)
class Read:
    """A pod that reads one file, once."""

    source: Source
    mode: int | None = None
    item: str = ""
    """Where in the volume the one key is, if there is to be one alone."""
    item_mode: int | None = None
    user: int | None = None
    group: int | None = None
    volumes: int = 1
    """How many volumes of the same object it has; the mode is that of the last one's file."""

    @property
    def name(self) -> str:
        """What pod and object are called."""
        given = [self.source.kind, self.source.projected, self.mode, self.item_mode, self.user, self.volumes]
        return "-".join([*(str(each) for each in given), "item" if self.item else "all"]).lower()

    @property
    def _key(self) -> str:
        return "data-2" if self.item and self.source.kind == "ConfigMap" else "data-1"

    def _path(self, number: int) -> str:
        return f"{PLACE}-{number}/{self.item or self._key}"

    @property
    def pod(self) -> Json:
        """The pod."""
        item = {"key": self._key, "path": self.item, **({"mode": self.item_mode} if self.item_mode is not None else {})}
        items = {"items": [item]} if self.item else {}
        names = [f"volume-{number}" for number in range(self.volumes)]
        volumes = [self.source.volume(each, self.name, self.mode, **items) for each in names]
        mounts = [{"name": name, "mountPath": f"/etc/{name}", "readOnly": True} for name in names]
        files = [f"--file_content={self._path(0)}", f"--file_mode={self._path(self.volumes - 1)}"]
        context = {"runAsUser": self.user, "fsGroup": self.group}
        given = {key: value for key, value in context.items() if value is not None}
        reader = container(["mounttest", *files], volumeMounts=mounts)
        return pod(self.name, reader, volumes=volumes, securityContext=given, terminationGracePeriodSeconds=1)

    @property
    def object(self) -> Json:
        """The object whose files they are."""
        end = "\n" if self.source.kind == "Secret" else ""
        return self.source.object(self.name, **{f"data-{number}": f"value-{number}{end}" for number in (1, 2, 3)})

    @property
    def content(self) -> str:
        """What it says of the content."""
        return f'content of file "{self._path(0)}": {self._key.replace("data", "value")}'

    @property
    def words(self) -> str:
        """What it says of the mode."""
        mode = self.mode if self.item_mode is None else self.item_mode
        return f'mode of file "{self._path(self.volumes - 1)}": {WORDS[mode]}'


def _read(source: Source, what: str, **more: object) -> ParameterSet:
    case = Read(source, **more)  # type: ignore[arg-type]
    return pytest.param(case, marks=conformance(f"{source.title} should be consumable {what}"), id=case.name)


def _reads(source: Source) -> Iterator[ParameterSet]:
    config_map = source.kind == "ConfigMap"
    item = "path/to/data-2" if config_map else "new-path-data-1"
    yield _read(source, "from pods in volume")
    yield _read(source, "from pods in volume with defaultMode set", mode=0o400)
    yield _read(source, "from pods in volume with mappings", item=item)
    last = "Item mode" if config_map else "Item Mode"
    yield _read(source, f"from pods in volume with mappings and {last} set", item=item, item_mode=0o400)
    where = "in multiple volumes in the same pod" if config_map else "in multiple volumes in a pod"
    yield _read(source, where, volumes=2)
    if config_map:
        yield _read(source, "from pods in volume as non-root", user=NOBODY)
        yield _read(source, "from pods in volume with mappings as non-root", user=NOBODY, item=item)
    else:
        what = "from pods in volume as non-root with defaultMode and fsGroup set"
        yield _read(source, what, user=NOBODY, group=GROUP, mode=0o440)


@pytest.fixture(scope="module")
def ended(request: pytest.FixtureRequest, api: Api, shared: Workloads) -> Iterator[Callable[[Read], Ended]]:
    """What a case's pod came to."""
    kinds = {kind: api.objects("v1", kind, shared.namespace) for kind in ("ConfigMap", "Secret")}

    def run(case: Read) -> Ended:
        kinds[case.source.kind].create(case.object)
        return shared.run(case.pod)

    with side_by_side(request, "case", run) as outcome:
        yield outcome


def _check(check: Checks, case: Read, found: Ended) -> None:
    check("succeeded", found.phase, "Succeeded")
    check("content", [line for line in found.lines if line.startswith("content")], [case.content])
    check("mode", [line for line in found.lines if line.startswith("mode")], [case.words])


@pytest.mark.parametrize("case", [case for source in SOURCES for case in _reads(source)])
def test_a_file_is_read(case: Read, ended: Callable[[Read], Ended], check: Checks) -> None:
    _check(check, case, ended(case))


@conformance(
    "Secrets should be able to mount in a volume regardless of a different secret existing with same name in different"
    " namespace"
)
def test_a_secret_of_the_pods_namespace(
    api: Api, workloads: Workloads, new_namespace: NewNamespace, check: Checks
) -> None:
    case = Read(SECRET)
    other = SECRET.object(case.name, this_should_not_match="similarly_this_should_not_match\n")
    api.objects("v1", "Secret", new_namespace()).create(other)
    api.objects("v1", "Secret", workloads.namespace).create(case.object)
    _check(check, case, workloads.run(case.pod))


@conformance("ConfigMap binary data should be reflected in volume")
def test_bytes_that_are_no_text(api: Api, workloads: Workloads, check: Checks) -> None:
    made = {**CONFIG_MAP.object("bytes", **{"data-1": "value-1"}), "binaryData": {"dump.bin": "3sr+utD+/w=="}}
    api.objects("v1", "ConfigMap", workloads.namespace).create(made)
    mounts = [{"name": "files", "mountPath": PLACE, "readOnly": True}]
    text = container(["mounttest", f"--file_content={PLACE}/data-1"], name="text", volumeMounts=mounts)
    command = ["hexdump", "-C", f"{PLACE}/dump.bin"]
    dump = container(name="bytes", image=BUSYBOX, command=command, volumeMounts=mounts)
    found = workloads.run(pod("pod-configmaps", text, dump, volumes=[CONFIG_MAP.volume("files", "bytes")]))
    check("text", f'content of file "{PLACE}/data-1": value-1\n' in found.logs["text"])
    check("bytes", "de ca fe ba d0 fe ff" in found.logs["bytes"])


@conformance("Projected combined should project all components that make up the projection API")
def test_a_volume_of_three_sources(api: Api, workloads: Workloads, check: Checks) -> None:
    values = {"ConfigMap": "configmap-value-1", "Secret": "secret-value-1"}
    volume = facts("podinfo", {"podname": {"fieldRef": {"fieldPath": "metadata.name"}}}, projected=True)
    for source in SOURCES[2:]:
        data = {f"{source.kind.lower()}-data": values[source.kind]}
        api.objects("v1", source.kind, workloads.namespace).create(source.object("data", **data))
        volume["projected"]["sources"] += source.volume("podinfo", "data")["projected"]["sources"]
    script = "cat /all/podname && cat /all/secret-data && cat /all/configmap-data"
    mounts = [{"name": "podinfo", "mountPath": "/all", "readOnly": False}]
    reader = container(name="test", image=BUSYBOX, command=["sh", "-c", script], volumeMounts=mounts)
    found = workloads.run(pod("projected-volume", reader, volumes=[volume]))
    check("succeeded", found.phase, "Succeeded")
    check("all", found.log, "projected-volumesecret-value-1configmap-value-1")
