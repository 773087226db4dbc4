"""Every controller is found, runs in the controller manager under upstream's name, and may do what it says it does."""

from collections.abc import Iterator
from itertools import product
from pathlib import Path

import pytest

from pilothouse.api.machinery.view import JsonObject
from pilothouse.apiserver.authorization.framework import Attributes
from pilothouse.apiserver.authorization.rbac import allows
from pilothouse.apiserver.bootstrap.controller_roles import CONTROLLER_ROLES
from pilothouse.apiserver.bootstrap.notation import rules
from pilothouse.apiserver.user import service_account_user
from pilothouse.controllers.main import ControllersConfig, can_run, everyone, selected
from pilothouse.net.pki import KeyPair
from pilothouse.reconcile.controller import Controller

ROOT = Path(__file__).parents[2]
NOT_CONTROLLERS = ("main",)
UPSTREAM = (
    *(f"{name}-controller" for name in (
        "bootstrap-signer", "certificatesigningrequest-approving", "certificatesigningrequest-cleaner",
        "certificatesigningrequest-signing", "clusterrole-aggregation", "cronjob", "daemonset", "deployment",
        "device-taint-eviction", "disruption", "endpoints", "endpointslice", "endpointslice-mirroring",
        "ephemeral-volume", "garbage-collector", "horizontal-pod-autoscaler", "job",
        "kube-apiserver-serving-clustertrustbundle-publisher", "legacy-serviceaccount-token-cleaner", "namespace",
        "node-ipam", "node-lifecycle", "persistentvolume-attach-detach", "persistentvolume-binder",
        "persistentvolume-expander", "persistentvolume-protection", "persistentvolumeclaim-protection",
        "pod-garbage-collector", "podcertificaterequest-cleaner", "replicaset", "replicationcontroller",
        "resourceclaim", "resourcequota", "root-ca-certificate-publisher", "selinux-warning", "service-cidr",
        "serviceaccount", "serviceaccount-token", "statefulset", "storage-version-migrator",
        "storageversion-garbage-collector", "taint-eviction", "token-cleaner", "ttl", "ttl-after-finished",
        "validatingadmissionpolicy-status", "volumeattributesclass-protection",
    )),
)  # fmt: skip
"""The names in cmd/kube-controller-manager/names/controller_names.go, without the cloud's."""


each_controller = pytest.mark.parametrize("kind", [pytest.param(kind, id=kind.name) for kind in everyone()])


@each_controller
def test_its_name_is_upstreams(kind: type[Controller]) -> None:
    assert kind.name in UPSTREAM


@each_controller
def test_it_runs_in_the_controller_manager(kind: type[Controller]) -> None:
    config = ControllersConfig(root_ca="PEM", signing=KeyPair(b"", b""))
    assert kind in selected(config.controllers, everyone())
    assert can_run(kind, config)


@each_controller
def test_its_account_may_do_what_it_says(kind: type[Controller]) -> None:
    identity = kind.identity or kind.name
    assert identity in CONTROLLER_ROLES
    allowed = rules(*CONTROLLER_ROLES[identity])
    reads = {"get", "list", "watch"}
    missing = [
        f"{wanted.verb} {wanted.resource}.{wanted.group}"
        for rule in kind.rules
        for wanted in _requests(rule)
        if wanted.verb not in reads and not any(allows(one, wanted) for one in allowed)
    ]
    assert missing == []


def _requests(rule: JsonObject) -> Iterator[Attributes]:
    """One request for each thing that a rule allows."""
    user = service_account_user("kube-system", "any", "")
    for group in rule["apiGroups"]:
        for resource in rule["resources"]:
            name, _, part = resource.partition("/")
            for verb, called in product(rule["verbs"], rule.get("resourceNames", ("x",))):
                yield Attributes(user, verb, group, "v1", name, part, "default", called, "", is_resource=True)


def test_names_are_unique() -> None:
    names = [kind.name for kind in everyone()]
    assert len({*names}) == len(names)


def test_every_file_has_its_controller() -> None:
    homes = {kind.__module__.split(".")[2] for kind in everyone()}
    package = ROOT / "src/pilothouse/controllers"
    found = {path.stem for path in package.glob("[a-z]*.py")} | {path.parent.name for path in package.glob("*/*.py")}
    assert found - {*NOT_CONTROLLERS} == homes


def test_every_controller_has_its_test() -> None:
    tests = ROOT / "tests/controllers"
    homes = {kind.__module__.split(".")[2] for kind in everyone()}
    assert {name for name in homes if not (tests / f"test_{name}.py").exists() and not (tests / name).is_dir()} == set()
