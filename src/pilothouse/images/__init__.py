"""Images of applications: built from a Dockerfile, as an archive that a node's runtime takes in."""
