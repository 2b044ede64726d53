"""
The circuit before the store: whether anything may be sent to it for now.

It is one row in the database for each destination, so that all processes share it. The
row counts deliveries in a row, of different runs, to which the store did not answer.
From ``CIRCUIT_THRESHOLD`` on the circuit is open: nothing is sent until its pause is
over, then one delivery tries while the others wait. Any word of the store removes the
row, which closes the circuit.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from uuid import UUID

from rigbridge.outbox.policy import CIRCUIT_THRESHOLD, MAX_PROBE, delay

__all__ = ["circuit_forbids", "close_circuit", "count_failure", "open_circuit"]


def circuit_forbids(
    connection: sqlite3.Connection, name: str | None, times: Mapping[str, float]
) -> bool:
    """
    Whether no delivery may begin now.

    Args:
        times: now, and how far ahead each kind of time may lie.
    """
    row = connection.execute(
        "SELECT * FROM circuit WHERE destination = ? AND failures >= ?",
        (name or "", CIRCUIT_THRESHOLD),
    ).fetchone()
    if row is None:
        return False
    if times["now"] < row["until"] <= times["pause_limit"]:
        return True
    if times["now"] < row["not_before"] <= times["asked_limit"]:
        return True
    # The pause is over: one may try, the others see what comes of it.
    trying = connection.execute(
        "SELECT 1 FROM entry WHERE state = 'sending' AND destination IS :name"
        " AND lease_until > :now AND lease_until <= :lease_limit",
        {**times, "name": name},
    ).fetchone()
    return trying is not None


def count_failure(
    connection: sqlite3.Connection,
    name: str | None,
    now: float,
    *,
    reason: str,
    not_before: float,
    run_id: UUID,
    for_all: bool,
) -> bool:
    """
    Count a delivery that got no answer; those of enough runs in a row open the circuit.

    Args:
        now: the Unix time.
        reason: why there was none, for a person.
        not_before: the time before which the store wants to hear nothing.
        for_all: whether the store asked everybody to wait.

    Returns:
        Whether the circuit is open now.
    """
    row = _row(connection, name)
    # In the transaction of the caller: two processes cannot count the same twice.
    failures = 0 if row is None else int(row["failures"])
    runs = [] if row is None else str(row["runs"]).split()
    # Before it is open a run counts once: a server may fail on one run for ever.
    if failures >= CIRCUIT_THRESHOLD or str(run_id) not in runs:
        failures += 1
        runs = [*runs, str(run_id)][-CIRCUIT_THRESHOLD:]
    if for_all and not_before > now:
        # The store itself asked for a pause: no need to count further.
        failures = max(failures, CIRCUIT_THRESHOLD)
    # The pause grows with each try after the circuit opened, not before.
    tries = failures - CIRCUIT_THRESHOLD + 1
    until = now + delay(tries, most=MAX_PROBE) if tries > 0 else now
    _set(
        connection,
        name,
        reason=reason,
        failures=failures,
        until=until,
        not_before=not_before,
        runs=" ".join(runs),
    )
    return tries > 0


def open_circuit(
    connection: sqlite3.Connection,
    name: str | None,
    now: float,
    reason: str,
    pause: float,
) -> None:
    """Open the circuit for some seconds."""
    _set(
        connection,
        name,
        reason=reason,
        failures=CIRCUIT_THRESHOLD,
        until=now + pause,
        not_before=0.0,
    )


def _row(connection: sqlite3.Connection, name: str | None) -> sqlite3.Row | None:
    row: sqlite3.Row | None = connection.execute(
        "SELECT * FROM circuit WHERE destination = ?", (name or "",)
    ).fetchone()
    return row


def _set(
    connection: sqlite3.Connection,
    name: str | None,
    *,
    reason: str,
    failures: int,
    until: float,
    not_before: float,
    runs: str = "",
) -> None:
    connection.execute(
        "INSERT OR REPLACE INTO circuit"
        " (destination, reason, failures, until, not_before, runs)"
        " VALUES (?, ?, ?, ?, ?, ?)",
        (name or "", reason, failures, until, not_before, runs),
    )


def close_circuit(connection: sqlite3.Connection, name: str | None, now: float) -> None:
    """Note that the store answers; what only waited for that is due at once."""
    row = _row(connection, name)
    if row is None:
        return
    # One row or none: without it the circuit is closed.
    connection.execute("DELETE FROM circuit WHERE destination = ?", (name or "",))
    if row["failures"] >= CIRCUIT_THRESHOLD:
        connection.execute(
            "UPDATE entry SET due = ? WHERE state = 'pending' AND due > ?"
            " AND waits_for_store AND destination IS ?",
            (now, now, name),
        )
