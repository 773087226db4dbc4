"""What a new cluster begins with, made at every start where it is missing, a sort of things a file."""
