"""The servers over HTTP: throughput, latency, memory and start-up in rounds, and the change of scores in a crowd."""

import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict

import click

from benchmarks.medians import Scores, best_setting, largest_change, median_of
from benchmarks.systems import PYTORCH, Setting, System, environment_of, read_json
from benchmarks.work import Pair, last_line
from benchmarks.wrk import closed_load
from structbert_lite.bench.http_client import closed_loop
from structbert_lite.bench.server_process import Server, free_port, run_server

CLIENTS = (1, 4, 16, 64)
CROWD = 16  # clients, and texts in one batch, when scores are compared
WARM_UP_SECONDS = 1
TRIAL_SECONDS = 3.0  # of a load of each setting, at the most
TRIAL_CLIENTS = 16


@contextmanager
def _running(system: System, setting: Setting, pair: Pair) -> Iterator[Server]:
    if system.needs and not (pair.made / system.needs).exists():
        raise RuntimeError(f"its model file could not be made ({system.needs})")
    port = free_port()
    with run_server(setting.command(pair, port), port, system.ready, environment_of(setting, pair)) as server:
        yield server


def _load(system: System, server: Server, texts: list[str], clients: int, seconds: float) -> dict:
    found = closed_load(server.port, texts, clients, seconds, path=system.path, body_of=system.one)
    return {"clients": clients} | asdict(found)


def measure_servers(
    systems: tuple[System, ...],
    pair: Pair,
    texts: list[str],
    scored: list[str],
    rounds: int,
    seconds: float,
    clients: Sequence[int] = CLIENTS,
) -> list[dict]:
    """One row for each server: medians over `rounds`, each of which starts every server in turn.

    `texts` are the load, which lasts `seconds` at each number of `clients`; `scored` the texts whose scores are
    compared. A server that fails has the reason in its row under "failed".
    """
    rows = [{"title": system.title, "kind": system.kind} for system in systems]
    chosen: dict[int, Setting] = {}
    measured: dict[int, list[dict]] = {i: [] for i in range(len(systems))}
    alone: dict[int, Scores] = {}
    for i, system in enumerate(systems):
        try:
            rows[i]["tried"], chosen[i] = _try_settings(system, pair, texts, min(seconds, TRIAL_SECONDS))
            rows[i]["setting"] = chosen[i].words
        except (RuntimeError, OSError) as error:
            rows[i]["failed"] = last_line(str(error))
    for number in range(rounds):
        for i in [i for i in chosen if "failed" not in rows[i]]:
            click.echo(f"{pair.name}: {systems[i].title}, round {number + 1} of {rounds}", err=True)
            try:
                with _running(systems[i], chosen[i], pair) as server:
                    _load(systems[i], server, texts, 4, WARM_UP_SECONDS)
                    at_start = server.memory_mb()
                    if number == 0:
                        alone[i], rows[i]["change_in_crowd"], rows[i]["change_in_batch"] = _changes(
                            systems[i], server, scored
                        )
                    loads = [_load(systems[i], server, texts, count, seconds) for count in clients]
                    measured[i].append(
                        {"start_seconds": server.started_in, "memory_mb_at_start": at_start}
                        | {"memory_mb": server.memory_mb(), "loads": loads}
                    )
            except (RuntimeError, OSError, ValueError, LookupError) as error:
                rows[i]["failed"] = last_line(str(error) or repr(error))
    reference = alone.get(systems.index(PYTORCH)) if PYTORCH in systems else None
    for i in [i for i in chosen if "failed" not in rows[i]]:
        figures = ("start_seconds", "memory_mb_at_start", "memory_mb")
        rows[i] |= median_of([{name: found[name] for name in figures} for found in measured[i]])
        rows[i]["loads"] = [median_of([found["loads"][c] for found in measured[i]]) for c in range(len(clients))]
        rows[i]["change_from_fp32"] = largest_change(reference, alone[i]) if reference else None
    return rows


def _try_settings(
    system: System, pair: Pair, texts: list[str], seconds: float
) -> tuple[dict[str, float | str], Setting]:
    """Texts a second of each setting, or why it failed, and the best. Raises RuntimeError when none runs.

    It is also each server's first start, so that what it does only once is not measured later.
    """
    tried: dict[str, float | str] = {}
    for setting in system.settings:
        click.echo(f"{pair.name}: trying {system.title}, {setting.words}", err=True)
        try:
            with _running(system, setting, pair) as server:
                _load(system, server, texts, 4, WARM_UP_SECONDS)
                figures = _load(system, server, texts, TRIAL_CLIENTS, seconds)
                # A setting that answers with errors is no choice.
                tried[setting.words] = (
                    f"{figures['failures']} failures" if figures["failures"] else figures["per_second"]
                )
        except (RuntimeError, OSError) as error:
            tried[setting.words] = last_line(str(error))
            click.echo(f"{system.title} failed: {tried[setting.words]}", err=True)
    ran = {words: found for words, found in tried.items() if not isinstance(found, str)}
    if not ran:
        raise RuntimeError("; ".join(f"{words}: {found}" for words, found in tried.items()))
    best = best_setting(ran)
    return tried, next(setting for setting in system.settings if setting.words == best)


def _changes(system: System, server: Server, texts: list[str]) -> tuple[Scores, float, float | None]:
    """The scores of the texts alone, and their largest change among 16 clients and in batches of 16.

    The last is None without a route for several texts. Raises ValueError when an answer did not come.
    """
    mixed = random.Random(1).sample(range(len(texts)), len(texts))
    alone = _scores(system, server, texts, clients=1)
    crowd = _scores(system, server, [texts[i] for i in mixed], clients=CROWD)
    in_crowd = largest_change([alone[i] for i in mixed], crowd)
    if system.batch_path is None:
        return alone, in_crowd, None
    batches = [[texts[i] for i in mixed[start : start + CROWD]] for start in range(0, len(mixed), CROWD)]
    answers = _ask(server, system.batch_path, [system.several(batch) for batch in batches], clients=1)
    batched = [row for answer in answers for row in system.read_several(answer)]
    return alone, in_crowd, largest_change([alone[i] for i in mixed], batched)


def _scores(system: System, server: Server, texts: list[str], clients: int) -> Scores:
    return [system.read_one(answer) for answer in _ask(server, system.path, [system.one(t) for t in texts], clients)]


def _ask(server: Server, path: str, bodies: list, clients: int) -> list:
    answers, _ = closed_loop(server.port, path, bodies, clients)
    missing = sum(answer is None or not answer.good for answer in answers)
    if missing:
        raise ValueError(f"{missing} of {len(bodies)} scores did not come")
    return [read_json(answer.body) for answer in answers]
