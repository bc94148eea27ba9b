"""Balances, and everything that is booked on them."""
