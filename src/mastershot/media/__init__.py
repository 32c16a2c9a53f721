"""Films in: what a file is, its frames in one decoding pass, and the pictures made of them."""
