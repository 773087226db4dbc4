"""Devices that pods claim, and that drivers on the node make ready: dynamic resource allocation, KEP-4381."""
