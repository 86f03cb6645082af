"""Names of what the engine keeps in its records."""

from __future__ import annotations


def jobs_prefix(connection: str) -> str:
    """Of every job of a connection; the names sort by time."""
    return f"jobs/{connection}/"


def current_name(connection: str) -> str:
    """Which job a connection is at, and which schedules have fired: changed by compare-and-swap."""
    return f"current/{connection}"


def work_name(connection: str) -> str:
    """The leased checkpoint of a connection."""
    return f"work/{connection}"


def data_prefix(connection: str, job_id: str) -> str:
    """What a job keeps while it runs and for people to look at afterwards."""
    return f"data/{connection}/{job_id}/"


def key_name(connection: str, digest: str) -> str:
    """The job that a client's own key started."""
    return f"keys/{connection}/{digest}"


def tenant_name(tenant: str) -> str:
    """The unit budget and gate of a tenant."""
    return f"tenants/{tenant}"


def slot_name(tenant: str, number: int) -> str:
    """One of the places for workers at a tenant."""
    return f"slots/{tenant}/{number}"
