"""The only package that touches the kernel: links, rules, mounts, cgroups, processes."""
