"""Cluster DNS: names of services and pods answered on every node, everything else forwarded."""
