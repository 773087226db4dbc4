"""The sources of projected volumes, a file each."""
