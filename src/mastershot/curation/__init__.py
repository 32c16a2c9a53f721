"""From scripts to a taxonomy (METHODS A1, A2), in this order.

`scripts` are read into headings: `cleaning` makes plain characters, `sluglines` parse them with
`moments` and `places`, whose words are in the `vocabulary`. `candidates` counts the places;
`curate` joins two label sets by people's `decisions`, which `review` asks for; the result is
`built`, and `diff` compares two.
"""
