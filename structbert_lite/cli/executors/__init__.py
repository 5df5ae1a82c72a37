"""How bulk scoring is spread: a module each, with `run(job, show) -> Tally`."""
