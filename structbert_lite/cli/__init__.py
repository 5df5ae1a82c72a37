"""Commands; each module is imported when its command is chosen."""
