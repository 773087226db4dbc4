"""sig-node: what an image holds, as a volume."""

from contract.conformance import Checks, conformance
from contract.images import BUSYBOX, KITTEN
from contract.pods import phase
from contract.workloads import Workloads, container, pod

_SCRIPT = "while true; do echo test; sleep 1; done"


@conformance("ImageVolume should succeed with pod and pull policy of Always")
def test_an_image_that_is_pulled_for_a_volume(workloads: Workloads, check: Checks) -> None:
    box = container(
        name="test-container", image=BUSYBOX, command=["/bin/sh", "-c", _SCRIPT],
        volumeMounts=[{"name": "volume", "mountPath": "/volume"}],
    )  # fmt: skip
    volume = {"name": "volume", "image": {"reference": KITTEN, "pullPolicy": "Always"}}
    body = pod("test-pod", box, volumes=[volume], restartPolicy="Always", terminationGracePeriodSeconds=1)
    name = workloads.pods.create(body)["metadata"]["name"]
    check("running", phase(workloads.until(name, lambda item: phase(item) == "Running")), "Running")
    check("file", "kitten.jpg" in workloads.execute(name, "/bin/cat", "/volume/data.json"))
    check("deeper-file", "Alpine Linux" in workloads.execute(name, "/bin/cat", "/volume/etc/os-release"))
