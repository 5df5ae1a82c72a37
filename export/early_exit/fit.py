"""Heads for exits: what the whole model will say of a text, told from a layer's output, and when to believe it.

A head is ridge regression from [[CLS], mean of the tokens] to the model's own logits, so that it needs no labels; its
strength is the one with the least error left out (each text's own error, had it not been in the fit: the residual over
1 - leverage). Then one factor, the temperature, is fitted to those left-out logits: under it the softmax has the least
cross-entropy to the model's own probabilities (Guo et al. 2017, with the model in the place of the labels), so that an
exit's score says what the model's says.

When to believe it is chosen on other texts, and on those of the fit by what their left-out logits say: a text may leave
where its clearance (rules.py) is above a threshold. For each choice of layers the thresholds are as low as a budget of
wrong answers allows; the choice that saves most is kept.
"""

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from export.early_exit.rules import Room, ThreeWay, answers, clearance, spread

Floats = NDArray[np.float64]

STRENGTHS = (0.003, 0.01, 0.03, 0.1, 0.3, 1.0)  # of the ridge, beside features of variance 1
TEMPERATURES = np.linspace(0.5, 1.5, 101)
MOST_EXITS = 3
BUDGET_SHARES = (0.25, 0.5, 0.75)  # of what is left of the budget, for an exit that is not the last
SURE = 1.64  # standard deviations below the budget: one side, 95 %
EXIT_COST = 0.15  # of a layer: the head, the rule, and gathering the rows that stay


@dataclass(frozen=True, slots=True)
class FittedHead:
    """`weight` [labels, features] and `bias` [labels] of the logits.

    `left_out` [texts, labels]: what it would say of each text of the fit, had that one not been in it; `unit`: the
    spread of their errors.
    """

    weight: Floats
    bias: Floats
    left_out: Floats
    unit: Room

    def logits(self, read: Floats) -> Floats:
        return read @ self.weight.T + self.bias


@dataclass(frozen=True, slots=True)
class Choice:
    """Layers to leave after and the clearance to have there; `cost`: of the mean text, 1 without exits."""

    thresholds: dict[int, float]
    cost: float


def fit_head(read: Floats, wanted: Floats, rule: ThreeWay | None) -> FittedHead:
    """The head that tells `wanted` [texts, labels], logits, from `read` [texts, features]."""
    mean, scale = read.mean(axis=0), read.std(axis=0) + 1e-6
    z, centre = (read - mean) / scale, wanted.mean(axis=0)
    values, vectors = np.linalg.eigh(z.T @ z)
    turned = z @ vectors
    target = turned.T @ (wanted - centre)
    best: tuple[float, Floats, Floats] | None = None
    for strength in STRENGTHS:
        shrunk = 1 / (values + strength * len(z))
        weight = shrunk[:, None] * target
        leverage = np.square(turned) @ shrunk + 1 / len(z)
        error = (turned @ weight + centre - wanted) / np.maximum(1 - leverage, 1e-6)[:, None]
        loss = float(np.square(error).mean())
        if best is None or loss < best[0]:
            best = loss, vectors @ weight, wanted + error
    if best is None:
        raise ValueError("there is no strength to choose from")
    _, weight, left_out = best
    factor = _temperature(left_out, wanted)
    weight = weight / scale[:, None]
    left_out = left_out * factor
    return FittedHead(weight.T * factor, (centre - mean @ weight) * factor, left_out, spread(left_out, wanted, rule))


def choose_exits(
    logits: Mapping[int, Floats],
    units: Mapping[int, Room],
    wanted: Floats,
    seconds: Sequence[float],
    agreement: float,
    rule: ThreeWay | None,
) -> Choice | None:
    """Where to leave, so that answers stay those of `wanted` for `agreement` of the texts; None where no exit pays.

    `logits`: by layer, what its head says of each text, which it was not fitted to; `units`: of the clearance there;
    `seconds`: of a run that ends after so many layers, from 0 to all.
    """
    right = answers(wanted, rule)
    found = {
        layer: (clearance(values, units[layer], rule), (answers(values, rule) != right).any(axis=1))
        for layer, values in logits.items()
    }
    budget = (1 - agreement) * len(wanted)
    budget = math.floor(max(0.0, budget - SURE * math.sqrt(budget)))
    best: Choice | None = None
    for count in range(1, MOST_EXITS + 1):
        for layers in itertools.combinations(sorted(logits), count):
            for shares in itertools.product(BUDGET_SHARES, repeat=count - 1):
                choice = _spend(found, layers, (*shares, 1.0), budget, seconds)
                if choice and (best is None or choice.cost < best.cost):
                    best = choice
    return best if best and best.cost < 1 else None


def _spend(
    found: Mapping[int, tuple[Floats, NDArray[np.bool_]]],
    layers: tuple[int, ...],
    shares: tuple[float, ...],
    budget: int,
    seconds: Sequence[float],
) -> Choice | None:
    whole = seconds[-1]
    a_layer = (whole - seconds[0]) / (len(seconds) - 1)
    stay = np.ones(len(found[layers[0]][0]), bool)
    thresholds, cost, before = {}, seconds[0] / whole, seconds[0]
    for layer, share in zip(layers, shares, strict=True):
        cost += stay.mean() * (seconds[layer] - before + EXIT_COST * a_layer) / whole
        before = seconds[layer]
        clear, wrong = found[layer]
        allowed = math.floor(share * budget)
        mistaken = np.sort(clear[stay & wrong])[::-1]
        threshold = max(0.0, float(mistaken[allowed])) if len(mistaken) > allowed else 0.0
        leaves = stay & (clear > threshold)
        if not leaves.any():
            return None
        budget -= int((leaves & wrong).sum())
        thresholds[layer] = threshold
        stay &= ~leaves
    return Choice(thresholds, float(cost + stay.mean() * (whole - before) / whole))


def _temperature(logits: Floats, wanted: Floats) -> float:
    shares = softmax(wanted)

    def loss(factor: float) -> float:
        return float(-(shares * np.log(np.maximum(softmax(logits * factor), 1e-12))).sum(axis=1).mean())

    return float(min(TEMPERATURES, key=loss))


def softmax(logits: Floats) -> Floats:
    """float64 [rows, labels], not rounded."""
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    shares: Floats = powers / powers.sum(axis=1, keepdims=True)
    return shares
