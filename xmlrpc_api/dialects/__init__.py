"""What each dialect calls things, and what it has: data, no wire and no rules."""
