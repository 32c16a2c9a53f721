"""Networks: what they compute, apart from what is done with it."""
