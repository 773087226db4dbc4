"""Who asks which devices containers have hears of those by claims, too."""

from pathlib import Path

from fakes.dra_driver import DRIVER, device
from kubelet.dra.claiming import Bench, claim, serve, user, uses
from pilothouse.kubelet.dra.assigned_claims import AssignedClaims
from pilothouse.kubelet.pod_resources import messages


def test_devices_of_claims_are_told(tmp_path: Path) -> None:
    async def story(bench: Bench) -> None:
        web = user("web", "a", containers=[uses("a"), {"name": "none", "image": "app:1"}])
        assigned = AssignedClaims(bench.resources, lambda: {"uid-web": web})
        bench.claims.put(claim("a", "web"))
        assert assigned.of("uid-web", "app") == {}, "it is not ready yet"
        async with bench.driver() as driver:
            driver.devices["a"] = [device("0"), device("1", share_id="half")]
            await bench.connect(driver)
            assert await bench.refused(web) == ""
        expected = [
            {"cdi_devices": [{"name": f"{DRIVER}/gpu={name}"}], "driver_name": DRIVER, "pool_name": "n1",
             "device_name": name, "share_id": share}
            for name, share in (("0", ""), ("1", "half"))
        ]  # fmt: skip
        told = assigned.of("uid-web", "app")
        one = {"claim_name": "a", "claim_namespace": "default", "claim_resources": expected}
        assert told == {"dynamic_resources": [one]}
        made = messages()["ContainerResources"](name="app", **told)
        read = messages()["ContainerResources"].FromString(made.SerializeToString())
        assert [each.device_name for each in read.dynamic_resources[0].claim_resources] == ["0", "1"]
        assert assigned.of("uid-web", "none") == assigned.of("uid-gone", "app") == assigned.allocatable() == {}

    serve(tmp_path, story)
