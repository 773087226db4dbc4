"""The node agent: keeps the pods bound to its node running through the container runtime, and reports what is."""
