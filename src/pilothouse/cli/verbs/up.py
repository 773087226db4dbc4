"""`pilothouse up`: start a cluster on this machine, or find it again, and wait until it is Ready."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from pilothouse.cli.node_options import (
    CniOption,
    KubeletConfigDirOption,
    KubeletConfigOption,
    MaxPodsOption,
    MirrorsOption,
    NodeAddressOption,
    NodeLabelsOption,
    NodeNameOption,
    RuntimeOption,
    TaintsOption,
)
from pilothouse.cli.options import HomeOption, home_of
from pilothouse.cli.progress import steps
from pilothouse.cluster.addresses import is_ours
from pilothouse.cluster.apiserver_flags import apiserver_flags
from pilothouse.cluster.errors import ClusterError
from pilothouse.cluster.kubelet_options import KubeletWords, node_address, node_name
from pilothouse.cluster.up import Wishes, up
from pilothouse.runtime import log
from pilothouse.runtime.clock import SystemClock

_PORTS = 65535


def run(
    home: HomeOption = None,
    port: Annotated[
        int | None, typer.Option(help="Where the API server listens. [default: 6443]", min=1, max=_PORTS)
    ] = None,
    no_node: Annotated[
        bool, typer.Option("--no-node", help="A control plane alone: needs neither root nor containerd.")
    ] = False,
    simulated_nodes: Annotated[
        int | None, typer.Option(metavar="N", help="Nodes without a runtime: pods live without containers.", min=0)
    ] = None,
    nodes: Annotated[int, typer.Option(metavar="N", help="Nodes on this machine.", min=0)] = 1,
    apiserver_flag: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=VALUE", help="A flag of upstream's kube-apiserver; may be given again."),
    ] = None,
    kubelet_config: KubeletConfigOption = None,
    kubelet_config_dir: KubeletConfigDirOption = None,
    container_runtime_endpoint: RuntimeOption = None,
    cni_conf_dir: CniOption = None,
    registry_mirrors: MirrorsOption = None,
    node_labels: NodeLabelsOption = None,
    register_with_taints: TaintsOption = None,
    hostname_override: NodeNameOption = None,
    node_ip: NodeAddressOption = None,
    max_pods: MaxPodsOption = None,
) -> None:
    """Start a cluster and wait until it is Ready.

    What is said of the node holds for later starts too, until something else is said; "" takes it back. Its name stays.
    """
    log.configure(quiet=True)
    if nodes > 1:
        raise ClusterError("more than one node on a machine is not there yet: use --nodes 1, or --simulated-nodes N")
    place, clock, console = home_of(home), SystemClock(), Console(stderr=True)
    without = no_node or nodes == 0 or bool(simulated_nodes)
    wishes = Wishes(
        port=port, node=False if without else None, simulated_nodes=simulated_nodes,
        apiserver_flags=None if apiserver_flag is None else apiserver_flags(apiserver_flag),
        node_name=None if hostname_override is None else node_name(hostname_override),
        node_ip=node_address(node_ip, is_ours) if node_ip else node_ip,
        cni_conf_dir=_place(cni_conf_dir), registry_mirrors=_place(registry_mirrors),
        kubelet=KubeletWords(
            config=kubelet_config, config_dir=kubelet_config_dir, endpoint=container_runtime_endpoint,
            labels=node_labels, taints=register_with_taints, max_pods=max_pods,
        ),
    )  # fmt: skip
    begin = clock.monotonic()
    asyncio.run(up(place, wishes, clock, steps(console, clock)))
    console.print(f"The cluster is Ready after {clock.monotonic() - begin:.1f} s. To use it:", highlight=False)
    print(f"export KUBECONFIG={place.admin}")


def _place(path: str | None) -> str | None:
    """Where it is, whatever directory a later command is given in; "" and None say what they say."""
    return str(Path(path).absolute()) if path else path
