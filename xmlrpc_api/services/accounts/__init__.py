"""SIP accounts and what belongs to one: the same rules for every dialect."""
