"""How good results are, how sure figures are, and how a film is cut, in numbers."""
