"""Ways to probe, one file each."""
