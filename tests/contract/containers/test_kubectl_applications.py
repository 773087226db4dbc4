"""sig-cli: applications that kubectl makes, scales, reads the logs of and takes down."""

import json
import re
from datetime import datetime, timedelta

from contract.api import Api, Items, Json, Refused, eventually
from contract.conformance import Checks, conformance
from contract.images import AGNHOST, NAUTILUS
from contract.kubectl import NOT_ENDING, Kubectl
from contract.pods import START_SECONDS, until_ready
from contract.workloads import Workloads, container

DEMO = "update-demo-nautilus"
BACKEND = 6379
STARTUP_SECONDS, RESPONSE_SECONDS = 600, 180
"""guestbookStartupTimeout and guestbookResponseTimeout of upstream's."""
PERIOD = timedelta(seconds=2.5)
"""Longer than the second that is asked for, of which either end is rounded to a whole one."""


def _template(made: Json, labels: Json) -> Json:
    return {"metadata": {"labels": labels}, "spec": {"containers": [made]}}


def _demo() -> str:
    """A controller of two web servers."""
    labels = {"name": "update-demo", "version": "nautilus"}
    server = container(name="update-demo", image=NAUTILUS, ports=[{"containerPort": 80, "protocol": "TCP"}])
    spec = {"replicas": 2, "selector": labels, "template": _template(server, labels)}
    return json.dumps({"apiVersion": "v1", "kind": "ReplicationController", "metadata": {"name": DEMO}, "spec": spec})


def _served(workloads: Workloads, kubectl: Kubectl, replicas: int) -> list[str]:
    """What each of the demo's pods serves, once kubectl shows that there are so many and that they run."""
    label = "name=update-demo"
    workloads.pods.until(lambda items: len(items) == replicas and _run(items), START_SECONDS, label=label)
    pods = kubectl.json("get", "pods", "-l", label)["items"]
    assert len(pods) == replicas
    assert [_images(each) for each in pods] == [[NAUTILUS]] * replicas
    return [_data(workloads, each["metadata"]["name"]) for each in pods]


def _images(pod: Json) -> list[str]:
    running = {each["name"] for each in pod["status"]["containerStatuses"] if "running" in each["state"]}
    return [each["image"] for each in pod["spec"]["containers"] if each["name"] in running]


def _run(items: Items) -> bool:
    statuses = [each["status"].get("containerStatuses") for each in items.values()]
    return all(found and "running" in found[0]["state"] for found in statuses)


def _data(workloads: Workloads, name: str) -> str:
    """The image that a pod says it shows, once it listens."""
    answers: list[str] = []

    def answered() -> bool:
        try:
            answers.append(workloads.fetch(name, "data.json"))
        except Refused:
            return False
        return True

    eventually(answered, START_SECONDS, pause=0.1)
    return str(json.loads(answers[-1])["image"])


def _taken_down(kubectl: Kubectl, manifest: str, *selector: str) -> bool:
    """Whether nothing is left after `kubectl delete` but pods that end."""
    kubectl("delete", "--grace-period=0", "--force", "-f", "-", text=manifest)
    eventually(lambda: kubectl("get", "rc,rs,deploy,svc", *selector, "--no-headers") == "", 60)
    eventually(lambda: kubectl("get", "pods", *selector, "-o", NOT_ENDING) == "", 60)
    return True


@conformance("Kubectl client Update Demo should create and stop a replication controller")
def test_a_controller_is_made_and_stopped(workloads: Workloads, kubectl: Kubectl, check: Checks) -> None:
    kubectl("create", "-f", "-", text=_demo())
    check("served", _served(workloads, kubectl, 2), ["nautilus.jpg"] * 2)
    check("stopped", _taken_down(kubectl, _demo(), "-l", "name=update-demo"))


@conformance("Kubectl client Update Demo should scale a replication controller")
def test_a_controller_is_scaled(workloads: Workloads, kubectl: Kubectl, check: Checks) -> None:
    kubectl("create", "-f", "-", text=_demo())
    check("two", _served(workloads, kubectl, 2), ["nautilus.jpg"] * 2)
    for word, replicas in (("one", 1), ("two-again", 2)):
        kubectl("scale", "rc", DEMO, f"--replicas={replicas}", "--timeout=5m")
        check(word, _served(workloads, kubectl, replicas), ["nautilus.jpg"] * replicas)
    check("stopped", _taken_down(kubectl, _demo(), "-l", "name=update-demo"))


def _service(name: str, labels: Json, port: Json) -> Json:
    spec = {"ports": [port], "selector": labels}
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name, "labels": labels}, "spec": spec}


def _deployment(name: str, labels: Json, replicas: int, port: int, *arguments: str) -> Json:
    requests = {"requests": {"cpu": "100m", "memory": "100Mi"}}
    made = container(["guestbook", *arguments], name=name, ports=[{"containerPort": port}], resources=requests)
    spec = {"replicas": replicas, "selector": {"matchLabels": labels}, "template": _template(made, labels)}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name}, "spec": spec}


def _guestbook() -> str:
    """Six objects: a Service and a Deployment for each role."""
    primary, replica = ({"app": "agnhost", "role": role, "tier": "backend"} for role in ("primary", "replica"))
    front = {"app": "guestbook", "tier": "frontend"}
    here = f"--http-port={BACKEND}"
    items = [
        _service("agnhost-replica", replica, {"port": BACKEND}),
        _service("agnhost-primary", primary, {"port": BACKEND, "targetPort": BACKEND}),
        _service("frontend", front, {"port": 80}),
        _deployment("frontend", front, 3, 80, f"--backend-port={BACKEND}"),
        _deployment("agnhost-primary", primary, 1, BACKEND, here),
        _deployment("agnhost-replica", replica, 2, BACKEND, "--replicaof=agnhost-primary", here),
    ]
    return json.dumps({"apiVersion": "v1", "kind": "List", "items": items})


@conformance("Kubectl client Guestbook application should create and stop a working application")
def test_a_guestbook(api: Api, workloads: Workloads, kubectl: Kubectl, check: Checks) -> None:
    front = api.objects("v1", "Service", workloads.namespace).path("frontend", "proxy")

    def answers(command: str, value: str, wanted: str, limit: int) -> bool:
        query = {"cmd": command, "key": "messages", "value": value}

        def answered() -> bool:
            try:
                return api.send("GET", f"{front}/guestbook", query=query) == wanted
            except Refused:
                return False

        eventually(answered, limit, pause=0.2)
        return True

    kubectl("create", "-f", "-", text=_guestbook())
    label = "app=guestbook,tier=frontend"
    workloads.pods.until(lambda items: len(items) == 3 and _run(items), START_SECONDS, label=label)
    check("empty", answers("get", "", '{"data":""}', STARTUP_SECONDS))
    check("written", answers("set", "TestEntry", '{"message":"Updated"}', RESPONSE_SECONDS))
    check("read", answers("get", "", '{"data":"TestEntry"}', RESPONSE_SECONDS))
    check("stopped", _taken_down(kubectl, _guestbook()))


def _time(line: str) -> datetime:
    """When a line was written, as it says in front."""
    word, _, rest = line.partition(" ")
    assert rest
    found = re.fullmatch(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d{1,9})?(Z|[+-]\d\d:\d\d)", word)
    assert found, line
    return datetime.fromisoformat(found[1] + (found[2] or ".0").ljust(7, "0")[:7] + found[3])


@conformance("Kubectl logs logs should be able to retrieve and filter logs")
def test_logs(workloads: Workloads, kubectl: Kubectl, check: Checks) -> None:
    name = "logs-generator"
    arguments = ("--", name, "--log-lines-total", "100", "--run-duration", "20s")
    kubectl("run", name, f"--image={AGNHOST}", "--restart=Never", "--pod-running-timeout=2m0s", *arguments)
    until_ready(workloads.pods, name)
    workloads.until_log(name, "/api/v1/namespaces/kube-system", name, START_SECONDS)
    check("found", True)

    def logs(*options: str) -> str:
        return kubectl("logs", name, name, *options)

    last = logs("--tail=1")
    check("one-line", (len(last.splitlines()), last.strip() != ""), (1, True))
    check("one-byte", len(logs("--limit-bytes=1")), 1)
    (stamped,) = logs("--tail=1", "--timestamps").splitlines()
    check("timestamps", _time(stamped))

    def long_enough() -> bool:
        lines = workloads.log(name, timestamps="true").splitlines()
        return _time(lines[-1]) - _time(lines[0]) > PERIOD

    eventually(long_enough, START_SECONDS, pause=0.2)
    recent, older = (logs(f"--since={period}").splitlines() for period in ("1s", "24h"))
    check("since", len(recent) < len(older))
