"""Leases and records in Azure Blob Storage: one block blob a record, and its lease.

A name that is leased before it has a record gets an empty blob, marked as a placeholder in its metadata: readers and
listings pass over it, and the first write of the record takes its place. Each write leaves a mark of its own in the
metadata: when the service's answer to a write is lost and the repeated request meets what the first one did, the mark
tells our own success from somebody else's.
"""

from __future__ import annotations

import math
import uuid
from collections.abc import Sequence
from typing import Any

from azure.core import MatchConditions
from azure.core.exceptions import HttpResponseError, ResourceExistsError, ResourceNotFoundError
from azure.storage.blob import BlobClient, BlobLeaseClient, BlobProperties, BlobServiceClient, ContainerClient

from worker.errors import ConflictError, LeaseLostError, UnavailableError
from worker.ports import ANY_VERSION, Hold, Record
from worker.stores.azure import AzureStorage
from worker.stores.azure_sdk import client_options, code_of, connecting, may_be_missing_right, sdk_errors
from worker.stores.names import checked_lease, checked_name, checked_prefix

_PLACEHOLDER = "placeholder"
_MARK = "mark"
_ONE_REQUEST = 64 * 1024 * 1024  # bytes: up to here a record is read and written in one request, so as one state
_READ_TRIES = 3
_CONFLICTS = frozenset({409, 412})


def open_blobs(storage: AzureStorage) -> tuple[AzureLeases, AzureRecords]:
    """Over one client; the container is made when it is missing and we may."""
    with connecting():
        container = _service(storage).get_container_client(storage.container)
    blobs = _Blobs(container)
    blobs.make()
    return AzureLeases(blobs), AzureRecords(blobs)


def _service(storage: AzureStorage) -> BlobServiceClient:
    sizes = {"max_single_put_size": _ONE_REQUEST, "max_single_get_size": _ONE_REQUEST}
    options = {**client_options(storage), **sizes}
    if storage.connection:
        return BlobServiceClient.from_connection_string(storage.connection, **options)
    return BlobServiceClient(storage.address("blob"), credential=storage.credential, **options)


class _Blobs:
    """The container."""

    def __init__(self, container: ContainerClient) -> None:
        self.container = container
        self.what = f"Blob storage at {container.primary_hostname}"

    def make(self) -> None:
        """Nothing when it is there, or we may not: then the first use says so."""
        with sdk_errors(self.what):
            try:
                self.container.create_container()
            except ResourceExistsError:
                pass
            except HttpResponseError as error:
                if not may_be_missing_right(error):
                    raise

    def blob(self, name: str) -> BlobClient:
        return self.container.get_blob_client(checked_name(name))

    def properties(self, name: str, lease: str | None = None) -> BlobProperties | None:
        """None when there is no such blob. With a lease id the service refuses when it isn't in force."""
        try:
            return self.blob(name).get_blob_properties(lease=lease)
        except ResourceNotFoundError as error:
            if code_of(error) == "ContainerNotFound":
                raise
            return None

    def put_placeholder(self, name: str) -> None:
        """Nothing when there is a blob."""
        try:
            self.blob(name).upload_blob(b"", overwrite=False, metadata={_PLACEHOLDER: "1"})
        except HttpResponseError as error:
            if error.status_code not in _CONFLICTS:
                raise


class AzureLeases:
    """Implements ports.Leases."""

    def __init__(self, blobs: _Blobs) -> None:
        self._blobs = blobs
        self._lasting: dict[str, int] = {}  # token -> seconds: a renewal lasts as long as the lease it renews

    def acquire(self, name: str, seconds: float) -> Hold | None:
        # Our own id: a repeated request, after an answer that was lost, is given the same lease again.
        lease = BlobLeaseClient(self._blobs.blob(name), lease_id=str(uuid.uuid4()))
        length = math.ceil(checked_lease(seconds))
        with sdk_errors(self._blobs.what):
            try:
                self._acquire(lease, name, length)
            except HttpResponseError as error:
                if error.status_code == 409 and code_of(error).startswith("Lease"):
                    return None
                raise
        self._lasting[lease.id] = length
        return Hold(name, lease.id)

    def renew(self, hold: Hold, seconds: float) -> None:
        lease = self._lease(hold)
        length = math.ceil(checked_lease(seconds))
        with sdk_errors(self._blobs.what):
            try:
                lease.renew()
                if self._lasting.get(hold.token) != length:
                    # Now that it is known to be ours, acquiring it again under its id changes how long it lasts.
                    lease.acquire(lease_duration=length)
                    self._lasting[hold.token] = length
            except HttpResponseError as error:
                if not _lease_is_gone(error):
                    raise
                self._lasting.pop(hold.token, None)
                raise _lost(hold.name) from None

    def release(self, hold: Hold) -> None:
        self._lasting.pop(hold.token, None)
        with sdk_errors(self._blobs.what):
            try:
                self._lease(hold).release()
            except HttpResponseError as error:
                if not _lease_is_gone(error):
                    raise

    def _acquire(self, lease: BlobLeaseClient, name: str, length: int) -> None:
        try:
            lease.acquire(lease_duration=length)
        except ResourceNotFoundError as error:
            if code_of(error) == "ContainerNotFound":
                raise
            self._blobs.put_placeholder(name)
            lease.acquire(lease_duration=length)

    def _lease(self, hold: Hold) -> BlobLeaseClient:
        return BlobLeaseClient(self._blobs.blob(hold.name), lease_id=hold.token)


class AzureRecords:
    """Implements ports.Records. Versions are etags."""

    def __init__(self, blobs: _Blobs) -> None:
        self._blobs = blobs

    def read(self, name: str) -> Record | None:
        blob = self._blobs.blob(name)
        with sdk_errors(self._blobs.what):
            for _ in range(_READ_TRIES):
                try:
                    found = blob.download_blob()
                    properties = found.properties
                    return None if _is_placeholder(properties) else Record(found.readall(), _etag(properties))
                except ResourceNotFoundError as error:
                    if code_of(error) == "ContainerNotFound":
                        raise
                    return None
                except HttpResponseError as error:
                    # A record of more than one request was written while it was read.
                    if error.status_code not in _CONFLICTS:
                        raise
        raise UnavailableError(f"The record {name} is written faster than it can be read.", hint="Try again.")

    def write(self, name: str, content: bytes, version: str | None, hold: Hold | None = None) -> str:
        checked_name(name)
        if hold is not None and hold.name != name:
            raise _lost(name)
        if version == "":
            raise _changed(name)  # no etag; the SDK would send no condition at all
        with sdk_errors(self._blobs.what):
            return _Write(self._blobs, name, content, hold).settle(version)

    def names(self, prefix: str) -> Sequence[str]:
        with sdk_errors(self._blobs.what):
            found = self._blobs.container.list_blobs(name_starts_with=checked_prefix(prefix), include=["metadata"])
            return sorted(blob.name for blob in found if not _is_placeholder(blob))

    def remove(self, name: str) -> None:
        with sdk_errors(self._blobs.what):
            try:
                self._blobs.blob(name).delete_blob(delete_snapshots="include")
            except ResourceNotFoundError as error:
                if code_of(error) == "ContainerNotFound":
                    raise
            except HttpResponseError as error:
                if error.status_code not in _CONFLICTS:
                    raise
                standing = self._blobs.properties(name)
                if standing is not None and not _is_placeholder(standing):
                    raise _leased(name) from None


class _Write:
    """One write of a record, with what is needed to tell why it was refused."""

    def __init__(self, blobs: _Blobs, name: str, content: bytes, hold: Hold | None) -> None:
        self._blobs = blobs
        self._name = name
        self._content = content
        self._hold = hold
        self._mark = uuid.uuid4().hex

    def settle(self, version: str | None) -> str:
        """The new version; ConflictError and LeaseLostError as the port says."""
        if version is None and self._hold is not None:
            return self._create_held(self._hold)
        try:
            return self._put(version)
        except ResourceNotFoundError as error:
            if code_of(error) == "ContainerNotFound":
                raise
            raise self._refusal(error) from None
        except HttpResponseError as error:
            if error.status_code not in _CONFLICTS:
                raise
            standing = self._blobs.properties(self._name)
            if standing is not None and _metadata(standing).get(_MARK) == self._mark:
                return _etag(standing)
            if version is None and standing is not None and _is_placeholder(standing):
                return self.settle(_etag(standing))
            raise self._refusal(error) from None

    def _create_held(self, hold: Hold) -> str:
        """A lease always has a blob to lie on; a name without one was never leased, whatever the token says."""
        standing = self._blobs.properties(self._name)
        if standing is None:
            raise _lost(self._name)
        if _is_placeholder(standing):
            return self.settle(_etag(standing))
        if not self._still_held(hold):
            raise _lost(self._name)
        raise _changed(self._name)

    def _put(self, version: str | None) -> str:
        condition: dict[str, Any] = {}
        if version not in (None, ANY_VERSION):
            condition = {"etag": version, "match_condition": MatchConditions.IfNotModified}
        blob = self._blobs.blob(self._name)
        answer = blob.upload_blob(
            self._content,
            overwrite=version is not None,
            metadata={_MARK: self._mark},
            lease=BlobLeaseClient(blob, lease_id=self._hold.token) if self._hold else None,
            **condition,
        )
        return str(answer["etag"])

    def _refusal(self, error: HttpResponseError) -> ConflictError | LeaseLostError:
        if self._hold is not None:
            if _lease_is_gone(error) or not self._still_held(self._hold):
                return _lost(self._name)
        elif _lease_is_gone(error):
            return _leased(self._name)
        return _changed(self._name)

    def _still_held(self, hold: Hold) -> bool:
        """Asked when the version was refused: which of two reasons the service names first isn't promised."""
        try:
            return self._blobs.properties(self._name, hold.token) is not None
        except HttpResponseError as error:
            if error.status_code in _CONFLICTS:
                return False
            raise


def _metadata(properties: BlobProperties) -> dict[str, str]:
    return {name.lower(): value for name, value in (properties.metadata or {}).items()}


def _is_placeholder(properties: BlobProperties) -> bool:
    return _PLACEHOLDER in _metadata(properties)


def _etag(properties: BlobProperties) -> str:
    return str(properties.etag)


def _lease_is_gone(error: HttpResponseError) -> bool:
    """What the service says about leases: it isn't in force, isn't ours, or its blob is gone."""
    return error.status_code == 404 or (error.status_code in _CONFLICTS and "Lease" in code_of(error))


def _lost(name: str) -> LeaseLostError:
    return LeaseLostError(f"The lease on {name} is not ours any more.")


def _changed(name: str) -> ConflictError:
    return ConflictError(f"The record {name} was written by somebody else meanwhile.")


def _leased(name: str) -> ConflictError:
    return ConflictError(f"The record {name} is leased by somebody else.")
