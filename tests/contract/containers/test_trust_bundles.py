"""sig-auth: volumes of root certificates, out of ClusterTrustBundles by their name or by signer and labels.

All pods are begun together: that two of them do not start is looked at for as long as upstream looks.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import pytest
from _pytest.mark import ParameterSet

from contract.api import Api, Json
from contract.authorities import Authority
from contract.conformance import Checks, conformance
from contract.pods import phase
from contract.side_by_side import side_by_side
from contract.workloads import Ended, Workloads, container, pod

PLACE = "/var/run/ctbtest"
FILE = "trust-bundle.crt"
MANY = 150
LAST = MANY - 1
UNSTARTED_SECONDS = 10
ALIVE, DEAD = {"signer.alive": "true"}, {"signer.alive": "false"}
LABELS: Sequence[Json | None] = (None, ALIVE, ALIVE, ALIVE, ALIVE, ALIVE, DEAD, DEAD, None, None)
"""Those of the bundles by number."""
UNSIGNED, OTHERS = 4, 5
"""The number of the bundle that has no signer, and of that of another signer."""
PLAIN = "-rw-r--r--"
PEM = re.compile("-----BEGIN CERTIFICATE-----\n[^-]*-----END CERTIFICATE-----\n")


class Bundles:
    """Bundles that nobody else has: ten that differ, and many of one more signer."""

    def __init__(self, api: Api, unique: str) -> None:
        self._objects = api.objects("certificates.k8s.io/v1", "ClusterTrustBundle")
        self.one, self.two, self.hundreds = (f"test.test/signer-{each}{unique}" for each in ("one", "two", "hundreds"))
        self.unsigned = f"test.test.signer-one.{UNSIGNED}{unique}"
        self.certificates = [self._create(number, labels) for number, labels in enumerate(LABELS)]
        self.many = [self._named(self.of_many(number), self.hundreds, None) for number in range(MANY)]

    def of_many(self, number: int) -> str:
        """The name of one of the many."""
        return f"{self.hundreds.replace('/', ':')}:{number}"

    def _create(self, number: int, labels: Json | None) -> str:
        if number == UNSIGNED:
            return self._named(self.unsigned, "", labels)
        signer = self.two if number == OTHERS else self.one
        return self._named(f"{signer.replace('/', ':')}:{number}", signer, labels)

    def _named(self, name: str, signer: str, labels: Json | None) -> str:
        certificate = Authority.new(name).pem
        spec = {"trustBundle": certificate, **({"signerName": signer} if signer else {})}
        self._objects.create({"metadata": {"name": name, "labels": labels or {}}, "spec": spec})
        return certificate

    def delete(self) -> None:
        """Have them gone."""
        self._objects.delete(self.unsigned)
        for signer in (self.one, self.two, self.hundreds):
            self._objects.delete_all(field=f"spec.signerName={signer}")


def _projection(file: str = FILE, **more: object) -> Json:
    return {"clusterTrustBundle": {"path": file, **more}}


def _file(number: int) -> str:
    return f"trust-anchors-{number}.pem"


def _reader(name: str, path: str, mounts: Sequence[Json]) -> Json:
    return container(["mounttest", f"--file_content={path}", f"--file_mode={path}"], name=name, volumeMounts=mounts)


def _reading(name: str, *projections: Json) -> Json:
    """A pod with a container and a volume for each projection."""
    containers, volumes = [], []
    for number, each in enumerate(projections):
        mounts = [{"name": f"volume-{number}", "mountPath": PLACE}]
        containers.append(_reader(f"test-{number}", f"{PLACE}/{each['clusterTrustBundle']['path']}", mounts))
        volumes.append({"name": f"volume-{number}", "projected": {"sources": [each]}})
    return pod(name, *containers, volumes=volumes)


@dataclass(frozen=True)
class Shown:
    """What a container has printed of a file."""

    log: str
    path: str = f"{PLACE}/{FILE}"

    @property
    def certificates(self) -> list[str]:
        """The certificates in it, sorted; none only where it is empty."""
        _, _, content = self.log.partition(f'content of file "{self.path}": ')
        found = sorted(PEM.findall(content))
        assert PEM.sub("", content) == "\n", self.log
        return found

    @property
    def mode(self) -> str:
        """How its mode is written."""
        found = re.search(f'^mode of file "{self.path}": (.*)$', self.log, re.MULTILINE)
        assert found, self.log
        return found[1]


class Story:
    """Pods by case: those that run to their end, and those that must not start."""

    def __init__(self, workloads: Workloads, bundles: Bundles) -> None:
        self._workloads, self._bundles = workloads, bundles

    def tell(self, case: str) -> dict[str, Ended]:
        """What the pods of a case have come to, by name."""
        pods = self._pods(case)
        for each in pods:
            self._workloads.pods.create(each)
        names = [each["metadata"]["name"] for each in pods]
        return {name: self._workloads.ended(name) for name in names}

    def _pods(self, case: str) -> list[Json]:
        named, signed = {"name": self._bundles.unsigned}, {"signerName": self._bundles.one}
        if case == "many":
            return self._many()
        if case == "several":
            dead = _projection(**signed, labelSelector={"matchLabels": DEAD})
            return [_reading(case, _projection("trust-anchors.pem", **named), dead)]
        if case == "name":
            missing = _projection(name="does-not-exist.at.all", optional=True)
            return [_reading(case, _projection(**named)), _reading("missing", missing)]
        more: dict[str, Json] = {
            "labels": {"labelSelector": {"matchLabels": ALIVE}},
            "everything": {"labelSelector": {}},
            "no-selector": {"optional": True},
            "no-match": {"labelSelector": {"matchLabels": {"thismatches": "nothing"}}, "optional": True},
        }
        return [_reading(case, _projection(**signed, **more[case]))]

    def _many(self) -> list[Json]:
        sources = [_projection(_file(number), name=self._bundles.of_many(number)) for number in range(MANY)]
        names = [f"volume-{number}" for number in range(MANY)]
        together = {"name": "volume", "projected": {"sources": sources}}
        apart = [{"name": names[number], "projected": {"sources": [each]}} for number, each in enumerate(sources)]
        mount = {"name": "volume", "mountPath": PLACE}
        mounts = [{"name": name, "mountPath": f"{PLACE}/{name}"} for name in names]
        return [
            pod("together", _reader("test", f"{PLACE}/{_file(LAST)}", [mount]), volumes=[together]),
            pod("apart", _reader("test", f"{PLACE}/{names[LAST]}/{_file(LAST)}", mounts), volumes=apart),
            self._joined(),
        ]

    def _joined(self) -> Json:
        """A pod that stays a while after all that it prints: containerd 1.6 loses the end of much that comes last."""
        made = _reading("joined", _projection(signerName=self._bundles.hundreds, labelSelector={}))
        (reader,) = made["spec"]["containers"]
        reader["command"] = ["/bin/sh", "-c", f"/agnhost {' '.join(reader.pop('args'))} && sleep 1"]
        return made

    def wait(self, waiting: str) -> list[Json]:
        """What becomes of a pod in the while after its creation."""
        unknown = {"matchLabels": {"signer.alive": "unknown"}}
        wanted: dict[str, Json] = {
            "nothing-matches": {"signerName": self._bundles.one, "labelSelector": unknown},
            "does-not-exist": {"name": "does-not-exist"},
        }
        self._workloads.pods.create(_reading(waiting, _projection(optional=False, **wanted[waiting])))
        with self._workloads.pods.watch(seconds=UNSTARTED_SECONDS, field=f"metadata.name={waiting}") as changes:
            return [event["object"] for event in changes]


@dataclass(frozen=True)
class Outcomes:
    """What has come of all pods."""

    bundles: Bundles
    ended: Callable[[str], dict[str, Ended]]
    waited: Callable[[str], list[Json]]

    def wanted(self, *numbers: int) -> list[str]:
        """The certificates of bundles, sorted."""
        return sorted(self.bundles.certificates[number] for number in numbers)


@pytest.fixture(scope="module")
def outcomes(request: pytest.FixtureRequest, api: Api, shared: Workloads) -> Iterator[Outcomes]:
    """Those of this module's cases, with bundles that go with it."""
    bundles = Bundles(api, shared.namespace)
    story = Story(shared, bundles)
    try:
        with (
            side_by_side(request, "waiting", story.wait) as waited,
            side_by_side(request, "case", story.tell) as ended,
        ):
            yield Outcomes(bundles, ended, waited)
    finally:
        bundles.delete()


def _case(case: str, title: str) -> ParameterSet:
    return pytest.param(case, marks=conformance(title), id=case)


SIGNER = "should be capable to mount multiple trust bundles by signer+labels"
BY_SIGNER = [
    _case("labels", f"{SIGNER} can combine multiple CTBs with signer name and label selector"),
    _case("no-selector", f"{SIGNER} should start if only signer name and nil label selector + optional=true"),
    _case(
        "no-match",
        f"{SIGNER} should start if only signer name and explicit label selector matches nothing + optional=true",
    ),
    _case("everything", f"{SIGNER} can combine all signer CTBs with an empty label selector"),
]
OF_SIGNER = {"labels": (1, 2, 3), "everything": (0, 1, 2, 3, 6, 7, 8, 9)}


@pytest.mark.parametrize("case", BY_SIGNER)
def test_bundles_of_a_signer(case: str, outcomes: Outcomes, check: Checks) -> None:
    found = outcomes.ended(case)[case]
    check("succeeded", found.phase, "Succeeded")
    check("certificates", Shown(found.log).certificates, outcomes.wanted(*OF_SIGNER.get(case, ())))
    check("mode", Shown(found.log).mode, PLAIN)


@pytest.mark.parametrize("case", [_case("name", "should be able to mount a single ClusterTrustBundle by name")])
def test_a_bundle_by_its_name(case: str, outcomes: Outcomes, check: Checks) -> None:
    found = outcomes.ended(case)
    check("succeeded", {each.phase for each in found.values()}, {"Succeeded"})
    check("named", Shown(found["name"].log).certificates, outcomes.wanted(UNSIGNED))
    check("missing", Shown(found["missing"].log).certificates, [])
    check("modes", {Shown(each.log).mode for each in found.values()}, {PLAIN})


@pytest.mark.parametrize("case", [_case("several", "should be able to specify multiple CTB volumes")])
def test_several_volumes(case: str, outcomes: Outcomes, check: Checks) -> None:
    found = outcomes.ended(case)[case]
    named, dead = Shown(found.logs["test-0"], f"{PLACE}/trust-anchors.pem"), Shown(found.logs["test-1"])
    check("succeeded", found.phase, "Succeeded")
    check("named", named.certificates, outcomes.wanted(UNSIGNED))
    check("labels", dead.certificates, outcomes.wanted(6, 7))
    check("modes", [named.mode, dead.mode], [PLAIN, PLAIN])


@pytest.mark.parametrize("case", [_case("many", "should be able to mount a big number (>100) of CTBs")])
def test_many_bundles(case: str, outcomes: Outcomes, check: Checks) -> None:
    found = outcomes.ended(case)
    files = {"together": f"{PLACE}/{_file(LAST)}", "apart": f"{PLACE}/volume-{LAST}/{_file(LAST)}"}
    shown = {name: Shown(each.log, files.get(name, f"{PLACE}/{FILE}")) for name, each in found.items()}
    check("succeeded", {each.phase for each in found.values()}, {"Succeeded"})
    check("together", shown["together"].certificates, [outcomes.bundles.many[LAST]])
    check("apart", shown["apart"].certificates, [outcomes.bundles.many[LAST]])
    check("joined", shown["joined"].certificates, sorted(outcomes.bundles.many))
    check("modes", {each.mode for each in shown.values()}, {PLAIN})


PREVENT = "should prevent a pod from starting if: sets optional=false and"
UNSTARTED = [
    _case("nothing-matches", f"{PREVENT} no trust bundle matches query"),
    _case("does-not-exist", f"{PREVENT} the configured CTB does not exist"),
]


@pytest.mark.parametrize("waiting", UNSTARTED)
def test_no_start_without_what_must_be_there(waiting: str, outcomes: Outcomes, check: Checks) -> None:
    states = outcomes.waited(waiting)
    check("pending", {phase(each) for each in states}, {"Pending"})
    conditions = {each["type"]: each for each in states[-1]["status"].get("conditions", [])}
    ready = conditions.get("Ready", {})
    said = "containers with unready status: [test-0]"
    found = (ready.get("status"), ready.get("reason"), ready.get("message"))
    check("unready", found, ("False", "ContainersNotReady", said))
