"""Reading /metrics as Prometheus would."""

from collections.abc import Callable
from dataclasses import dataclass

from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample


@dataclass(frozen=True)
class Scrape:
    samples: list[Sample]

    def total(self, name: str, **labels: str) -> float:
        """The sum over all series of `name` with these labels."""
        return sum(s.value for s in self.samples if s.name == name and labels.items() <= s.labels.items())

    def names(self) -> set[str]:
        return {sample.name for sample in self.samples}


def parse(text: str) -> Scrape:
    return Scrape([sample for family in text_string_to_metric_families(text) for sample in family.samples])


def growth(before: Scrape, after: Scrape) -> Callable[..., float]:
    return lambda name, **labels: after.total(name, **labels) - before.total(name, **labels)
