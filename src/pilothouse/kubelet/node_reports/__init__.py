"""What a node's status says beside the basics, one field a file."""
