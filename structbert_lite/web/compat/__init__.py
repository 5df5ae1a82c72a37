"""Other services' routes, so that their clients work unchanged: one file a service."""
