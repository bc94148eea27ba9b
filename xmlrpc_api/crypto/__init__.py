"""Secrets that are told again, and passwords that are not."""
