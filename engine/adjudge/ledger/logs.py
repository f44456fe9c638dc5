"""Names of tenants in, the numbers of their logs in a database out."""

from __future__ import annotations

import re
import secrets
from typing import Final

from adjudge.ledger.database import Database
from adjudge.ledger.errors import LedgerError
from adjudge.ledger.merkle import Frontier
from adjudge.ledger.note import Signs, VerifierKey, check_name

DEFAULT_TENANT: Final = "default"
_TENANT: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


def check_tenant(tenant: str) -> None:
    """Raises :class:`LedgerError` ``ledger_tenant_invalid``."""
    if not _TENANT.fullmatch(tenant):
        raise LedgerError(
            "ledger_tenant_invalid",
            f"{tenant[:80]!r} cannot name a tenant",
            hint="use letters, digits, and . _ - within; at most 64",
        )


def find_log(database: Database, tenant: str) -> int:
    """The log of a tenant.  Raises :class:`LedgerError` ``ledger_tenant_unknown``."""
    rows = database.query("select log from ledger_log where tenant = ?", (tenant,))
    if not rows:
        raise LedgerError(
            "ledger_tenant_unknown",
            f"{database.shown}: there is no log of the tenant {tenant}",
            hint=f"`adjudge ledger init --tenant {tenant}` makes it",
        )
    return int(rows[0][0])


def make_log(database: Database, tenant: str) -> None:
    """Make the log of a tenant, without a key, unless there is one."""
    known = "select log from ledger_log where tenant = ?"
    if database.query(known, (tenant,)):
        return
    with database.writing():
        database.exclude()
        if database.query(known, (tenant,)):
            return
        number = database.query("select coalesce(max(log), 0) + 1 from ledger_log")[0][0]
        # Random: two ledgers that nobody named must not be taken for one log.
        origin = f"adjudge.local/{tenant}-{secrets.token_hex(8)}"
        database.many(
            "insert into ledger_log (log, tenant, origin, vkey, size, frontier, time_us)"
            " values (?, ?, ?, null, 0, ?, 0)",
            [(number, tenant, origin, Frontier().to_bytes())],
        )


def name_log(database: Database, tenant: str, origin: str | None, signer: Signs) -> None:
    """Give a log its key, and its name when there is one to give.

    Raises :class:`LedgerError` ``ledger_exists`` when it has a key, ``ledger_origin_invalid``,
    ``ledger_origin_taken``.
    """
    if origin is not None:
        _check_origin(origin)
    with database.writing():
        database.exclude()
        rows = database.query("select origin, vkey from ledger_log where tenant = ?", (tenant,))
        known, vkey = rows[0]
        if vkey is not None:
            raise LedgerError(
                "ledger_exists",
                f"{database.shown}: the log of the tenant {tenant} has its key already",
                hint="name another tenant with --tenant, or another ledger",
            )
        name = origin or known
        if name != known and database.query("select 1 from ledger_log where origin = ?", (name,)):
            raise LedgerError(
                "ledger_origin_taken", f"another tenant's log is called {name}", hint="name another"
            )
        key = str(VerifierKey(name, signer.public))
        database.many(
            "update ledger_log set origin = ?, vkey = ? where tenant = ?", [(name, key, tenant)]
        )


def _check_origin(origin: str) -> None:
    try:
        check_name(origin)
    except ValueError as error:
        raise LedgerError(
            "ledger_origin_invalid",
            f"{origin[:80]!r} cannot name a log: {error}",
            hint="write something like example.com/releases",
        ) from None
