"""The rules of NGNPro's dialect alone."""
