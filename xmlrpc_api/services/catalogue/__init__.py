"""What is sold: tariffs, their rates, the price of a call, service plans and minute plans."""
