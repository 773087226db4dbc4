"""What the benchmarks share: a process's CPU and memory, an API server to ask, tables."""
