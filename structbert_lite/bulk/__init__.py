"""Bulk scoring: every row of a file through a task's model."""
