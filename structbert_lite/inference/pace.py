"""How long an inference is going to take, by those before it."""

# Weight of the newest run: a slow one alone does not tell much.
NEWEST = 0.1


class Pace:
    """Seconds a padded token, smoothed. 0 until something was measured."""

    def __init__(self) -> None:
        self.seconds_per_token = 0.0

    def note(self, tokens: int, seconds: float) -> None:
        """One run over `tokens` padded tokens took `seconds`. Threads may overwrite each other's: it is an estimate."""
        newest = seconds / tokens
        before = self.seconds_per_token or newest
        self.seconds_per_token = before + NEWEST * (newest - before)
