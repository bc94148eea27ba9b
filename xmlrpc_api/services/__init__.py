"""The rules, written once: plain async functions that every dialect calls."""
