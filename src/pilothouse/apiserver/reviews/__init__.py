"""Reviews: kinds that are questions. What is posted is answered and never stored."""
