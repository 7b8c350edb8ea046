"""People: who they are, how they prove it, and what a token says of them."""
