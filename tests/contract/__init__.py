"""What a port promises, as tests that an adapter from outside can be run against."""
