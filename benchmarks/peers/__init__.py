"""The servers that this one is measured beside, each written as its users would write it."""
