"""Commands that read and write CSV as the trade exchanges it."""
