"""What goes wrong with the storage account, in our words; never a key, never the SDK's own errors."""

from __future__ import annotations

import logging

import pytest

from worker.errors import ConfigError, UnavailableError, WorkerError
from worker.stores.azure import AzureStorage, open_stores

KEY = "c2VjcmV0LWtleS1vZi10aGUtYWNjb3VudA=="
DEAD = (
    f"DefaultEndpointsProtocol=http;AccountName=acc;AccountKey={KEY};"
    "BlobEndpoint=http://127.0.0.1:9/acc;QueueEndpoint=http://127.0.0.1:9/acc;"
)


def test_an_account_that_does_not_answer_is_said_within_its_limits(caplog):
    with caplog.at_level(logging.DEBUG), pytest.raises(UnavailableError) as caught:
        open_stores(AzureStorage(connection=DEAD, retries=0, connect_seconds=0.5)).queue.send("x")
    assert caught.value.hint
    assert KEY not in caplog.text
    assert KEY not in str(caught.value)


def test_nothing_that_names_an_account_is_refused():
    with pytest.raises(ConfigError):
        open_stores(AzureStorage())


@pytest.mark.parametrize("text", ["nonsense", "AccountName=a", "AccountName=a;AccountKey=not-base64;"])
def test_a_broken_connection_string_is_said_without_repeating_it(text):
    with pytest.raises(WorkerError) as caught:
        open_stores(AzureStorage(connection=text, retries=0)).records.read("a")
    assert "not-base64" not in f"{caught.value} {caught.value.hint}"


def test_the_connection_string_is_not_shown():
    assert KEY not in repr(AzureStorage(connection=DEAD))
