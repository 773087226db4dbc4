"""sig-scheduling and sig-node: where pods go, and who has to go from there."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from contract.api import JSON_PATCH, MERGE, Api, Items, Json, Objects
from contract.conformance import Checks, conformance
from contract.pods import START_SECONDS, pause_pod, phase, until_running

LOW, MEDIUM, HIGH = 1, 100, 1000
CRITICAL = "system-cluster-critical"
HOSTNAME = "kubernetes.io/hostname"
FINALIZER = "example.com/test-finalizer"
EVENT_SECONDS = 120
PODS_SECONDS = 60
STABLE_SECONDS = 5
HOST_PORT = 54322
TAINT = {"key": "kubernetes.io/e2e-evict-taint-key", "value": "evictTaintVal", "effect": "NoExecute"}
TOLERATED_SECONDS, EVICTION_SECONDS = 15, 110

Give = Callable[[str, str, str], None]


@pytest.fixture
def nodes(api: Api) -> Objects:
    return api.objects("v1", "Node")


@pytest.fixture
def pods(api: Api, namespace: str) -> Objects:
    return api.objects("v1", "Pod", namespace)


@pytest.fixture
def give(nodes: Objects) -> Iterator[Give]:
    """Give a node so much of a resource of that name, as long as the test lasts."""
    given: list[tuple[str, str]] = []

    def say(node: str, resource: str, amount: str | None) -> None:
        says = {resource: amount}
        nodes.patch(node, {"status": {"capacity": says, "allocatable": says}}, MERGE, "status")

    def add(node: str, resource: str, amount: str) -> None:
        say(node, resource, amount)
        given.append((node, resource))

    yield add
    for node, resource in given:
        say(node, resource, None)


@pytest.fixture
def priority(api: Api, unique: str) -> Iterator[Callable[[int], str]]:
    """The name of a priority class of that value."""
    classes = api.objects("scheduling.k8s.io/v1", "PriorityClass")
    made: dict[int, str] = {}

    def name(value: int) -> str:
        if value not in made:
            body = {"metadata": {"name": f"{unique}-{value}"}, "value": value}
            made[value] = classes.create(body)["metadata"]["name"]
        return made[value]

    yield name
    for one in made.values():
        classes.delete(one)


@pytest.fixture
def label(nodes: Objects, unique: str) -> Iterator[Callable[[str, str], Json]]:
    """Give a node a label of that value; the selector of it."""
    key, labelled = f"kubernetes.io/e2e-{unique}", set[str]()

    def add(node: str, value: str) -> Json:
        labelled.add(node)
        assert nodes.patch(node, {"metadata": {"labels": {key: value}}})["metadata"]["labels"][key] == value
        return {key: value}

    yield add
    for node in labelled:
        nodes.patch(node, {"metadata": {"labels": {key: None}}})


def _workers(nodes: Objects) -> list[Json]:
    """The nodes that are ready and take any pod."""
    return [
        node
        for node in nodes.items()
        if ("Ready", "True") in [(one["type"], one["status"]) for one in node["status"]["conditions"]]
        and not node["spec"].get("unschedulable")
        and not [taint for taint in node["spec"].get("taints", []) if taint["effect"] != "PreferNoSchedule"]
    ]


def _pod(name: str, resources: Json | None = None, *, node: str = "", **spec: Any) -> Json:
    """A pod that waits and ends at once; only on that node, where it is named."""
    if node:
        field = {"key": "metadata.name", "operator": "In", "values": [node]}
        needs = {"nodeSelectorTerms": [{"matchFields": [field]}]}
        spec["affinity"] = {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": needs}}
    same = {"requests": resources, "limits": resources} if resources else None
    return pause_pod(name, resources=same, spec={"terminationGracePeriodSeconds": 1, **spec})


def _able_node(pods: Objects) -> str:
    """A node that a pod which asks for nothing got to run on."""
    pods.create(_pod("without-label"))
    found = until_running(pods, "without-label")["spec"]["nodeName"]
    pods.delete("without-label", gracePeriodSeconds=0)
    return str(found)


def _no_place(api: Api, pods: Objects, name: str) -> bool:
    """An event comes to say that there is no node for the pod."""

    def said(items: Items) -> bool:
        return any(found.startswith(name) and event["reason"] == "FailedScheduling" for found, event in items.items())

    return bool(api.objects("v1", "Event", pods.namespace).until(said, EVENT_SECONDS))


def _counts(pods: Objects) -> tuple[int, int]:
    """How many have a node, as their condition says too, and how many have none."""
    with_node, without = 0, 0
    for pod in pods.items():
        if pod["spec"].get("nodeName"):
            conditions = {one["type"]: one["status"] for one in pod["status"]["conditions"]}
            assert conditions["PodScheduled"] == "True"
            with_node += 1
        else:
            without += 1
    return with_node, without


def _is_ending(pods: Objects, name: str) -> bool:
    return not pods.exists(name) or "deletionTimestamp" in pods.get(name)["metadata"]


def _is_available(items: Items) -> bool:
    """Whether each ReplicaSet has a pod that is."""
    return all(item.get("status", {}).get("availableReplicas") == 1 for item in items.values())


def _milli(quantity: str) -> int:
    return int(quantity[:-1]) if quantity.endswith("m") else int(float(quantity) * 1000)


def _requested(pod: Json) -> int:
    """How many thousandths of a CPU its containers ask for."""
    containers = pod["spec"]["containers"]
    return sum(_milli(one.get("resources", {}).get("requests", {}).get("cpu", "0")) for one in containers)


@conformance("SchedulerPredicates validates resource limits of pods that are allowed to run")
def test_resources(api: Api, nodes: Objects, pods: Objects, check: Checks) -> None:
    allocatable = {node["metadata"]["name"]: _milli(node["status"]["allocatable"]["cpu"]) for node in _workers(nodes)}
    free = dict(allocatable)
    for pod in api.objects("v1", "Pod").items():
        if pod["spec"].get("nodeName") in free and phase(pod) not in ("Succeeded", "Failed"):
            free[pod["spec"]["nodeName"]] -= _requested(pod)
    for number, (node, cpu) in enumerate(free.items()):
        pods.create(_pod(f"filler-pod-{number}", {"cpu": f"{cpu * 7 // 10}m"}, node=node))
    for number in range(len(free)):
        until_running(pods, f"filler-pod-{number}")
    check("running", True)
    pods.create(_pod("additional-pod", {"cpu": f"{max(allocatable.values()) * 5 // 10}m"}))
    check("no-place", _no_place(api, pods, "additional-pod"))
    check("counts", _counts(pods), (len(free), 1))


@conformance("SchedulerPredicates validates that NodeSelector is respected if not matching")
def test_selector_of_no_node(api: Api, pods: Objects, check: Checks) -> None:
    pods.create(_pod("restricted-pod", nodeSelector={"label": "nonempty"}))
    check("no-place", _no_place(api, pods, "restricted-pod"))
    check("counts", _counts(pods), (0, 1))


@conformance("SchedulerPredicates validates that NodeSelector is respected if matching")
def test_selector_of_a_node(pods: Objects, label: Callable[[str, str], Json], check: Checks) -> None:
    node = _able_node(pods)
    selector = label(node, "42")
    check("labelled", True)
    pods.create(_pod("with-labels", nodeSelector=selector))
    check("there", until_running(pods, "with-labels")["spec"]["nodeName"], node)


@conformance(
    "SchedulerPredicates validates that there exists conflict between pods with same hostPort and protocol but one"
    " using 0.0.0.0 hostIP"
)
def test_host_ports(api: Api, nodes: Objects, pods: Objects, label: Callable[[str, str], Json], check: Checks) -> None:
    node = _able_node(pods)
    addresses = {one["type"]: one["address"] for one in nodes.get(node)["status"]["addresses"]}
    selector = label(node, "95")
    check("labelled", True)
    for name, address in (("pod4", ""), ("pod5", addresses["InternalIP"])):
        pod = _pod(name, nodeSelector=selector)
        port = {"hostPort": HOST_PORT, "containerPort": 8080, "protocol": "TCP", "hostIP": address}
        pod["spec"]["containers"][0]["ports"] = [port]
        pods.create(pod)
        if not address:
            until_running(pods, name)
            check("first", True)
    check("no-place", _no_place(api, pods, "pod5"))


def _crowd(nodes: Objects, pods: Objects, give: Give, priority: Callable[[int], str], resource: str) -> list[str]:
    """Two pods on each node use four of its five; the first is less important than the others."""
    made: list[str] = []
    for node in [node["metadata"]["name"] for node in _workers(nodes)]:
        give(node, resource, "5")
        for _ in range(2):
            name = f"pod-{len(made)}"
            pods.create(_pod(name, {resource: "2"}, node=node, priorityClassName=priority(MEDIUM if made else LOW)))
            made.append(name)
    for name in made:
        until_running(pods, name)
    return made


def _check_victims(pods: Objects, made: list[str], check: Checks) -> None:
    check("victim", _is_ending(pods, made[0]))
    check("others", [name for name in made[1:] if _is_ending(pods, name)], [])


@conformance("SchedulerPreemption validates basic preemption works")
def test_preemption(
    nodes: Objects, pods: Objects, give: Give, priority: Callable[[int], str], unique: str, check: Checks
) -> None:
    resource = f"example.com/{unique}"
    made = _crowd(nodes, pods, give, priority, resource)
    check("crowd", len(made) >= 2)
    pods.create(_pod("preemptor-pod", {resource: "2"}, priorityClassName=priority(HIGH)))
    until_running(pods, "preemptor-pod")
    check("running", True)
    _check_victims(pods, made, check)


@conformance("SchedulerPreemption validates lower priority pod preemption by critical pod")
def test_preemption_by_a_critical_pod(
    api: Api, nodes: Objects, pods: Objects, give: Give, priority: Callable[[int], str], unique: str, check: Checks
) -> None:
    resource, system = f"example.com/{unique}", api.objects("v1", "Pod", "kube-system")
    made = _crowd(nodes, pods, give, priority, resource)
    check("crowd", len(made) >= 2)
    system.create(_pod("critical-pod", {resource: "2"}, priorityClassName=CRITICAL))
    try:
        until_running(system, "critical-pod")
        check("running", True)
        _check_victims(pods, made, check)
    finally:
        system.delete("critical-pod", gracePeriodSeconds=0)


@conformance("SchedulerPreemption validates pod disruption condition is added to the preempted pod")
def test_condition_of_a_victim(
    nodes: Objects, pods: Objects, give: Give, priority: Callable[[int], str], unique: str, check: Checks
) -> None:
    resource, node = f"example.com/{unique}", _workers(nodes)[0]["metadata"]["name"]
    give(node, resource, "1")
    victim = _pod("victim-pod", {resource: "1"}, node=node, priorityClassName=priority(LOW))
    victim["metadata"]["finalizers"] = [FINALIZER]
    pods.create(victim)
    try:
        until_running(pods, "victim-pod")
        check("running", True)
        pods.create(_pod("preemptor-pod", {resource: "1"}, node=node, priorityClassName=priority(HIGH)))
        ending = pods.until(lambda items: "deletionTimestamp" in items["victim-pod"]["metadata"], START_SECONDS)
        check("ending", True)
        check("condition", "DisruptionTarget" in [one["type"] for one in ending["victim-pod"]["status"]["conditions"]])
    finally:
        pods.patch("victim-pod", [{"op": "remove", "path": "/metadata/finalizers"}], JSON_PATCH)


@conformance("SchedulerPreemption PreemptionExecutionPath runs ReplicaSets to verify preemption running path")
def test_preemption_of_replica_sets(
    api: Api, nodes: Objects, pods: Objects, give: Give, priority: Callable[[int], str], unique: str, check: Checks
) -> None:
    resource, node = f"example.com/{unique}", _able_node(pods)
    place = {HOSTNAME: nodes.get(node)["metadata"]["labels"][HOSTNAME]}
    sets = api.objects("apps/v1", "ReplicaSet", pods.namespace)
    give(node, resource, "1000")
    since = pods.all()["metadata"]["resourceVersion"]
    for value, amount in ((1, "200"), (2, "300"), (3, "450")):
        name = f"pod{value}"
        spec = _pod(name, {resource: amount}, priorityClassName=priority(value), nodeSelector=place)["spec"]
        template = {"metadata": {"labels": {"name": name}}, "spec": spec}
        whole = {"replicas": 1, "selector": {"matchLabels": {"name": name}}, "template": template}
        sets.create({"metadata": {"name": f"rs-{name}"}, "spec": whole})
        sets.until(_is_available, EVENT_SECONDS, field=f"metadata.name=rs-{name}")
    check("available", True)
    pods.create(_pod("pod4", {resource: "500"}, priorityClassName=priority(4), nodeSelector=place))
    pods.until(lambda items: items["pod4"]["spec"].get("nodeName"), EVENT_SECONDS)
    check("preempted", True)
    made, wanted = [0, 0, 0], [2, 2, 1]

    def count(seconds: int, until: list[int] | None) -> None:
        """Of each set, how many pods have been made from the beginning on."""
        made[:] = [0, 0, 0]
        with pods.watch(since=since, seconds=seconds) as changes:
            for event in changes:
                name = event["object"]["metadata"]["name"]
                if event["type"] == "ADDED" and name.startswith("rs-pod"):
                    made[int(name[len("rs-pod")]) - 1] += 1
                if made == until:
                    return

    count(PODS_SECONDS, wanted)
    check("made", made, wanted)
    count(STABLE_SECONDS, None)
    check("stable", made, wanted)


@pytest.fixture
def evicting(nodes: Objects) -> Iterator[Callable[[str], Callable[[], None]]]:
    """Taint a node so that who does not tolerate it has to go; what it returns takes the taint away again."""
    tainted: list[str] = []

    def untaint(node: str) -> None:
        def edit(item: Json) -> None:
            item["spec"]["taints"] = [one for one in item["spec"].get("taints", []) if one["key"] != TAINT["key"]]

        nodes.change(node, edit)
        tainted.remove(node)

    def taint(node: str) -> Callable[[], None]:
        nodes.change(node, lambda item: item["spec"].update(taints=[*item["spec"].get("taints", []), TAINT]))
        tainted.append(node)
        (found,) = [one for one in nodes.get(node)["spec"]["taints"] if one["key"] == TAINT["key"]]
        assert found.items() >= TAINT.items()
        return lambda: untaint(node)

    yield taint
    for node in [*tainted]:
        untaint(node)


def _tolerant(name: str, group: str, seconds: int, **spec: Any) -> Json:
    """A pod that bears the taint for so long."""
    pod = _pod(name, tolerations=[{**TAINT, "tolerationSeconds": seconds}], **spec)
    pod["metadata"]["labels"] = {"group": group}
    return pod


@conformance("NoExecuteTaintManager Single Pod removing taint cancels eviction")
def test_taint_that_goes(pods: Objects, evicting: Callable[[str], Callable[[], None]], check: Checks) -> None:
    name = "taint-eviction-4"
    pods.create(_tolerant(name, name, 10))
    untaint = evicting(until_running(pods, name)["spec"]["nodeName"])
    since = pods.all()["metadata"]["resourceVersion"]
    check("tainted", True)
    check("tolerated", _is_ending(pods, name), False)
    untaint()
    with pods.watch(since=since, seconds=TOLERATED_SECONDS, label=f"group={name}") as changes:
        ends = [event for event in changes if "deletionTimestamp" in event["object"]["metadata"]]
    check("stays", ends, [])


@conformance("NoExecuteTaintManager Multiple Pods evicts pods with minTolerationSeconds")
def test_taint_that_stays(
    nodes: Objects, pods: Objects, evicting: Callable[[str], Callable[[], None]], check: Checks
) -> None:
    group = "taint-eviction-b"
    pods.create(_tolerant(f"{group}1", group, 5))
    node = until_running(pods, f"{group}1")["spec"]["nodeName"]
    place = {HOSTNAME: nodes.get(node)["metadata"]["labels"][HOSTNAME]}
    pods.create(_tolerant(f"{group}2", group, 25, nodeSelector=place))
    until_running(pods, f"{group}2")
    check("running", True)
    evicting(node)
    check("tainted", True)
    pods.until(lambda items: not items, EVICTION_SECONDS, label=f"group={group}")
    check("evicted", True)
