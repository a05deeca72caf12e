"""A shop a test, on one database that every test leaves as it was: what is done is rolled back."""

import os
from collections.abc import Iterator

import pytest

from minitelecom.store.synchronous import SynchronousDatabase
from tests.conftest import administer, at
from tests.store.shop import Shop


@pytest.fixture(scope="session")
def _shared(server_url: str, _template: str) -> Iterator[SynchronousDatabase]:
    name = f"shop_{os.getpid()}"
    administer(server_url, f"create database {name} template {_template}")
    with SynchronousDatabase(at(server_url, name)) as database:
        yield database


@pytest.fixture
def shop(_shared: SynchronousDatabase) -> Iterator[Shop]:
    with _shared.rolled_back():
        yield Shop(_shared)
