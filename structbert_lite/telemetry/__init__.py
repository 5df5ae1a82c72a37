"""What operators read: metrics, logs, traces. Knows no HTTP framework."""
