"""Shipped test support: the virtual-time loop, the in-process cluster, simulated nodes."""
