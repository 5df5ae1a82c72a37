"""Bad input by machine: `make fuzz` sends much of it, the test suite a little."""
