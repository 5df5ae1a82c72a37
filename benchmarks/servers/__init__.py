"""The servers that have no command of their own: one file each, run in the system's environment."""
