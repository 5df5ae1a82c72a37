"""One computation for identical inputs, across the replicas that share a cache.

Who comes first takes a claim on an input; who comes second waits for the row. A claim is a hint: it ends by itself, and
everybody who has waited long enough computes. So nothing but time can be lost, and little of that: only work worth
more than CLAIM_FROM seconds is claimed, and nobody waits longer for a row than its computation takes.
"""

import time
from dataclasses import dataclass, field
from itertools import islice

from structbert_lite.deadline import Deadline
from structbert_lite.runtime.cache import Row
from structbert_lite.runtime.shared_cache import KEYS_AT_ONCE, SharedCache

# A claim costs one more question to the server, some tenths of a millisecond in the same data centre.
CLAIM_FROM = 0.02
LONGEST_WAIT = 2.0
LONGEST_CLAIM = 10.0


@dataclass(frozen=True, slots=True)
class Claim:
    """`won` are the caller's to compute. `lost` are being computed elsewhere, in about so many seconds each."""

    won: frozenset[bytes] = frozenset()
    lost: dict[bytes, float] = field(default_factory=dict)


NOTHING = Claim()


def claim(shared: SharedCache, costs: dict[bytes, float], deadline: float) -> Claim:
    """Claims the keys of `costs`, the seconds that computing each is going to take.

    Nothing is won and nothing lost where the work is not worth it or the server does not answer.
    """
    total = sum(costs.values())
    if total < CLAIM_FROM:
        return NOTHING
    milliseconds = int(1000 * min(LONGEST_CLAIM, 3 * total)) + 100  # it may have to queue first
    asked = dict(islice(costs.items(), KEYS_AT_ONCE))
    won = shared.claim(list(asked), milliseconds, deadline)
    if won is None:
        return NOTHING
    return Claim(frozenset(won), {key: seconds for key, seconds in asked.items() if key not in won})


def wait_for_lost(shared: SharedCache, lost: dict[bytes, float], width: int, deadline: float) -> dict[bytes, Row]:
    """The rows of `lost` that others wrote while it was worth waiting; leaves time to compute the rest."""
    total = sum(lost.values())
    pause = min(0.05, max(0.005, total / 10))
    give_up = min(time.monotonic() + min(total, LONGEST_WAIT), deadline - total)
    found: dict[bytes, Row] = {}
    left = list(lost)
    while left and time.monotonic() + pause < give_up and not Deadline(deadline).has_left():
        time.sleep(pause)
        # Claims before rows: a claim that is gone without a row was given up, and there is nothing to wait for.
        held = shared.claimed(left, deadline)
        found |= shared.look(left, width, deadline)
        left = [key for key in left if key in held and key not in found]
    return found
