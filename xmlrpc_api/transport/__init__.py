"""The faces: bytes to calls, results and faults to bytes. The only place that knows HTTP and XML."""
