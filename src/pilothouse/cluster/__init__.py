"""A cluster on this machine: its home, its certificates, its processes, and how all of it comes up and goes down."""
