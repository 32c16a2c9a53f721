"""How good results are, and what they say of a film, in numbers."""
