"""Ways to put a service table into the kernel: one file each."""
