"""Priority and fairness: whose requests run when there are more than the server takes."""
