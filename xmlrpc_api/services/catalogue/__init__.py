"""What is sold: tariffs, their rates, and the price of a call."""
