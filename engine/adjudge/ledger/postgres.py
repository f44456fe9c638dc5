"""A URL in, a ledger's database in PostgreSQL out (extra ``postgres``: psycopg 3).

Writers to one log take turns by locking its row; logs of different tenants do not wait for each
other.  A connection that broke is made anew when it is needed next.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from adjudge.errors import UsageError
from adjudge.ledger.database import (
    APPEND_ONLY,
    ERASABLE,
    VERSION,
    WAIT_SECONDS,
    Row,
    not_a_log,
    not_found,
    statements,
)
from adjudge.ledger.errors import LedgerError

try:
    import psycopg
except ImportError:
    raise UsageError(
        "extra_missing",
        "a ledger in PostgreSQL needs psycopg",
        hint="pip install 'adjudge[postgres]'",
    ) from None

LOCK = 0x61646A6C
"""The advisory lock under which tables and logs are made (``adjl``)."""
CONNECT_SECONDS = 10
MAX_PARAMETERS = 60_000
"""Fewer than the protocol can number (16 bits)."""


class PostgresDatabase:
    """A ledger in a database; :class:`~adjudge.ledger.database.Database` says what the methods
    do."""

    for_update = " for update"

    def __init__(self, url: str, *, create: bool) -> None:
        self._url = url
        self.shown = _shown(url)
        self._connection: psycopg.Connection[Row] | None = None
        self._writing = False
        self._lock = threading.RLock()
        if not self._is_ledger():
            if not create:
                raise not_found(self.shown)
            with self.writing():
                self.exclude()
                if not self._is_ledger():
                    self._create()

    def _is_ledger(self) -> bool:
        if not self.query(
            "select 1 from pg_tables where tablename = 'ledger_version'"
            " and schemaname = any (current_schemas(false))"
        ):
            return False
        if [tuple(row) for row in self.query("select version from ledger_version")] != [(VERSION,)]:
            raise not_a_log(self.shown)
        return True

    def _create(self) -> None:
        refuse = "for each statement execute function ledger_refuse()"
        made = [
            *statements("bigint", "bytea", ""),
            """create function ledger_refuse() returns trigger language plpgsql as
            $$ begin raise exception 'the ledger is append-only'; end $$""",
            *(
                f"create trigger {t}_keep before update or delete or truncate on {t} {refuse}"
                for t in APPEND_ONLY
            ),
            *(
                f"create trigger {t}_keep before update or truncate on {t} {refuse}"
                for t in ERASABLE
            ),
            f"create trigger ledger_log_keep before delete or truncate on ledger_log {refuse}",
            "create table ledger_version (version bigint not null)",
            f"insert into ledger_version values ({VERSION})",  # noqa: S608 - a number of ours
        ]
        for statement in made:
            self._run(statement)

    def query(self, sql: str, parameters: Sequence[object] = ()) -> list[Row]:
        with self._lock, self._told("ledger_unavailable"):
            return self._connected().execute(_numbered(sql), tuple(parameters)).fetchall()

    def many(self, sql: str, rows: Sequence[Sequence[object]]) -> None:
        with self._lock:
            self._many(sql, rows)

    def _many(self, sql: str, rows: Sequence[Sequence[object]]) -> None:
        if not sql.startswith("insert "):
            with self._told("ledger_write_failed"), self._connected().cursor() as cursor:
                cursor.executemany(_numbered(sql), rows)
            return
        # One statement for many rows is several times as fast as one for each.
        head, _, marks = sql.partition(" values ")
        step = MAX_PARAMETERS // marks.count("?")
        for start in range(0, len(rows), step):
            some = rows[start : start + step]
            statement = _numbered(f"{head} values {', '.join([marks] * len(some))}")
            with self._told("ledger_write_failed"):
                self._connected().execute(statement, [value for row in some for value in row])

    def _run(self, sql: str) -> None:
        with self._lock, self._told("ledger_write_failed"):
            self._connected().execute(sql.encode())

    @contextmanager
    def writing(self) -> Iterator[None]:
        with self._lock:
            with self._told("ledger_unavailable"):
                self._connected().execute("begin")
            self._writing = True
            try:
                yield
                with self._told("ledger_write_failed"):
                    self._connected().execute("commit")
            except BaseException:
                self._roll_back()
                raise
            finally:
                self._writing = False

    def _roll_back(self) -> None:
        connection = self._connection
        try:
            if connection is not None:
                connection.execute("rollback")
        except psycopg.Error:
            # It is gone, and its transaction with it.
            self._drop()

    def exclude(self) -> None:
        self.query("select pg_advisory_xact_lock(?)", (LOCK,))

    def scrub(self) -> None:
        """Take the removed rows out of the tables; PostgreSQL's own log goes by its settings."""
        for table in ERASABLE:
            self._run(f"vacuum {table}")

    def close(self) -> None:
        with self._lock:
            self._drop()

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._connection = None

    def _connected(self) -> psycopg.Connection[Row]:
        if self._connection is None or self._connection.closed:
            if self._writing:
                # On a new connection the rest of a transaction would be no transaction.
                raise psycopg.OperationalError("the connection was lost while writing")
            self._connection = self._connect()
        return self._connection

    def _connect(self) -> psycopg.Connection[Row]:
        connection = psycopg.connect(
            self._url,
            autocommit=True,
            connect_timeout=CONNECT_SECONDS,
            application_name="adjudge",
            client_encoding="utf8",
        )
        connection.execute(f"set lock_timeout = '{WAIT_SECONDS}s'".encode())
        connection.execute("set default_transaction_isolation = 'read committed'")
        # What was acknowledged must survive a crash, whatever the server's default is.
        if connection.execute("show synchronous_commit").fetchone() == ("off",):
            connection.execute("set synchronous_commit = on")
        return connection

    @contextmanager
    def _told(self, code: str) -> Iterator[None]:
        """Turns the errors of psycopg into ours."""
        try:
            yield
        except psycopg.Error as error:
            if isinstance(error, psycopg.errors.LockNotAvailable):
                code = "ledger_busy"
            elif isinstance(error, psycopg.errors.UndefinedTable | psycopg.errors.UndefinedColumn):
                code = "ledger_corrupt"
            elif isinstance(error, psycopg.OperationalError | psycopg.InterfaceError):
                code = "ledger_unavailable"
            text = " ".join(str(error).split()) or type(error).__name__
            raise LedgerError(code, f"{self.shown}: {text[:300]}") from None


def _shown(url: str) -> str:
    """Where it is: host, port and database, without user and password."""
    try:
        parts = psycopg.conninfo.conninfo_to_dict(url)
    except psycopg.Error:
        # The library's message may quote the URL, and the URL may hold a password.
        raise LedgerError(
            "ledger_url_invalid",
            "this is no URL of a PostgreSQL database",
            hint="write postgresql://USER@HOST/DATABASE",
        ) from None
    port = f":{parts['port']}" if parts.get("port") else ""
    return f"postgresql://{parts.get('host') or ''}{port}/{parts.get('dbname') or ''}"


def _numbered(sql: str) -> bytes:
    """The statement with psycopg's sign for parameters."""
    return sql.replace("?", "%s").encode()
