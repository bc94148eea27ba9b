"""DIDs: who has which in hand, what it does with them, and what they cost."""
