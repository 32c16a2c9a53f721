"""Scene heads: do scenes end between two shots, from features of four (METHODS B6).

In order: `settings`; `data` joins features of films' shots with their scenes; `train` runs it all
and writes the head.
"""
