"""What may be said of the node, with the names of upstream's kubelet where it has such a flag."""

from typing import Annotated

import typer

_PANEL = "The node"
KubeletConfigOption = Annotated[
    str | None, typer.Option(metavar="FILE", help="A KubeletConfiguration for the node.", rich_help_panel=_PANEL)
]
KubeletConfigDirOption = Annotated[
    str | None,
    typer.Option(
        metavar="DIR", help="Further ones, *.conf: laid over it in the order of their names.", rich_help_panel=_PANEL
    ),
]
RuntimeOption = Annotated[
    str | None,
    typer.Option(
        metavar="unix:///SOCKET",
        help="A CRI runtime that runs already, in place of a containerd of the node's own.",
        rich_help_panel=_PANEL,
    ),
]
CniOption = Annotated[
    str | None,
    typer.Option(
        metavar="DIR",
        help="Where that runtime looks for CNI configurations, such as /etc/cni/net.d: the pod network's goes there.",
        rich_help_panel=_PANEL,
    ),
]
MirrorsOption = Annotated[
    str | None,
    typer.Option(
        metavar="DIR",
        help="Mirrors of registries, as in /etc/containerd/certs.d: a directory for each, with a hosts.toml in it.",
        rich_help_panel=_PANEL,
    ),
]
NodeLabelsOption = Annotated[
    str | None, typer.Option(metavar="K=V,...", help="Labels that the node registers with.", rich_help_panel=_PANEL)
]
TaintsOption = Annotated[
    str | None,
    typer.Option(
        metavar="K=V:EFFECT,...", help="Taints that the node has when it first registers.", rich_help_panel=_PANEL
    ),
]
NodeNameOption = Annotated[
    str | None,
    typer.Option(metavar="NAME", help="What the node is called. (default: the host's name)", rich_help_panel=_PANEL),
]
NodeAddressOption = Annotated[
    str | None,
    typer.Option(metavar="IP", help="Which of the machine's addresses is the node's.", rich_help_panel=_PANEL),
]
MaxPodsOption = Annotated[
    int | None,
    typer.Option(
        metavar="N", help="How many pods the node takes; 0: as its configuration has it.", min=0, rich_help_panel=_PANEL
    ),
]
