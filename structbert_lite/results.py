"""What a task returns."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Classification:
    """The label of one text. `probabilities` sum to 1, in the model's label order; `score` is the label's own."""

    text: str
    label: str
    score: float
    probabilities: dict[str, float]
    truncated: bool
