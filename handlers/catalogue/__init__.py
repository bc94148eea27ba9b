"""The methods of what is sold: tariffs with their price lists, service plans."""
