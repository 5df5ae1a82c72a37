"""How long and how fast to train, by the size of the data and the depth of the model."""

from collections.abc import Sequence

from training.loop import Recipe

EPOCHS = ((1_000, 20), (5_000, 10), (20_000, 5))  # rows below which so many epochs are the most
BATCHES = 50  # in an epoch of a small file, where that leaves enough tokens to each
LEAST_TOKENS, MOST_TOKENS = 512, 2048
DEEP = 6  # layers


def choose_recipe(
    lengths: Sequence[int], layers: int, epochs: int | None, learning_rate: float | None, max_tokens: int, seed: int
) -> Recipe:
    """The default recipe for texts of `lengths` tokens and an encoder of `layers`, unless the caller says otherwise.

    A few hundred rows take small batches and many passes, of which the dev rows choose the best; a deep encoder, which
    has more to lose, takes small steps.
    """
    most = next((count for rows, count in EPOCHS if len(lengths) < rows), 3)
    budget = min(MOST_TOKENS, max(LEAST_TOKENS, sum(lengths) // BATCHES))
    return Recipe(
        epochs=epochs or most,
        learning_rate=learning_rate or (1.5e-4 if layers <= DEEP else 4e-5),
        token_budget=budget,
        max_length=max_tokens,
        seed=seed,
    )
