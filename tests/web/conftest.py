"""Every request of the tests here to a route that has a fast one goes both ways (both_ways.py)."""

from collections.abc import Iterator

import pytest
from flask import Flask

from tests.web.both_ways import BothWaysClient


@pytest.fixture(scope="module", autouse=True)
def both_ways() -> Iterator[None]:
    usual, Flask.test_client_class = Flask.test_client_class, BothWaysClient
    yield
    Flask.test_client_class = usual
