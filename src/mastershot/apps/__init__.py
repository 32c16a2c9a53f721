"""The command line, one file or room a command group.

`cli` joins the groups; each command gets its options and its errors as sentences from `command`,
calls one library function, and prints by `show`. Room is kept for `web`.
"""
