"""``mastershot moderation``: `policies` shows and tries them, `review` has queue and verdicts."""
