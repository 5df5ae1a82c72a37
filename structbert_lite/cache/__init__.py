"""Outputs of models kept for the next request: in this process, and on a Redis that replicas share."""
