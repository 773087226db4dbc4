"""Drivers of the Container Storage Interface on the node. API page: "Volumes", on csi; the CSI specification, v1."""
