"""The one way of every call; its story is in `dispatcher`."""
