"""Bad input by machine: `make fuzz` runs all of it for long, the test suite a little of it."""

from hypothesis import HealthCheck, Phase, settings

# Not shrunk: each step is a round trip, and the failed assertion shows what was sent.
FUZZ = settings(deadline=None, suppress_health_check=list(HealthCheck), phases=[Phase.generate], database=None)
