"""Authorization: may they, a way of deciding a file."""
