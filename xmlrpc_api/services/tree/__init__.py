"""The tree of customers: who is whose, what may point where, who limits whom."""
