"""What this server does in a second, beside its peers. `make bench` runs it all; `python -m benchmarks --help`."""
