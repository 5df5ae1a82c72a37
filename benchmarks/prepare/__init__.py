"""Makes what the other systems read from one checkpoint: `python -m benchmarks.prepare.NAME`, one file a system."""
