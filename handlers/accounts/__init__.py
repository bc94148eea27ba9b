"""The methods of accounts."""
