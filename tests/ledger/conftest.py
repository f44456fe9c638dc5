"""Fixtures: places for ledgers in SQLite and in a real PostgreSQL server, and decisions."""

from __future__ import annotations

import glob
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from adjudge.decision.assemble import make_decision
from adjudge.decision.model import Context, Decision, EngineInfo, InputInfo, PolicyInfo, RuleResult
from adjudge.ledger import Ledger, SigningKey

ZERO = "0" * 64
ORIGIN = "example.com/log"


@pytest.fixture(scope="session")
def decision() -> Callable[..., Decision]:
    """Makes decisions."""

    def make(time_ns: int, outcome: str = "pass") -> Decision:
        result = RuleResult(
            rule_id="R-1",
            package="data.r",
            title="a rule",
            severity="low",
            outcome=outcome,  # type: ignore[arg-type]
        )
        return make_decision(
            time_ns=time_ns,
            results=[result],
            subject=[],
            policy=PolicyInfo(name="p", digest=ZERO),
            engine=EngineInfo(name="adjudge", version="0"),
            input=InputInfo(digest=ZERO),
            context=Context(),
        )

    return make


# --- a server -------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def postgres(request: pytest.FixtureRequest) -> Iterator[str]:
    """A server's URL with ``{}`` for a database: the one that ADJUDGE_TEST_POSTGRES names, or a
    private one from the programs of this machine."""
    pytest.importorskip("psycopg", reason="psycopg is not installed")
    given = os.environ.get("ADJUDGE_TEST_POSTGRES")
    if given:
        server, _, query = given.partition("?")
        yield server.rpartition("/")[0] + "/{}" + (f"?{query}" if query else "")
        return
    private = request.getfixturevalue("private_server")
    yield f"postgresql://postgres@/{{}}?host={private.folder}"


@pytest.fixture(scope="session")
def private_server() -> Iterator[PrivateServer]:
    """A server of this machine's programs that tests may stop."""
    pytest.importorskip("psycopg", reason="psycopg is not installed")
    programs = sorted(glob.glob("/usr/lib/postgresql/*/bin")) or [
        os.path.dirname(found) for found in [shutil.which("initdb")] if found
    ]
    if not programs:
        pytest.skip("there is no PostgreSQL server: install one, or set ADJUDGE_TEST_POSTGRES")
    with PrivateServer(Path(programs[-1])) as private:
        yield private


class PrivateServer:
    """A server on a unix socket in a folder of its own, not run by root."""

    def __init__(self, programs: Path) -> None:
        self.programs = programs
        self.folder = Path(tempfile.mkdtemp(prefix="adjudge-pg-"))
        self.environ = {**os.environ, "LC_ALL": "C", "HOME": str(self.folder)}
        self.account: dict[str, Any] = {}
        if os.getuid() == 0:
            try:
                user = pwd.getpwnam("postgres")
            except KeyError:
                pytest.skip("PostgreSQL does not run as root, and there is no user postgres")
            os.chown(self.folder, user.pw_uid, user.pw_gid)
            self.account = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}

    def start(self) -> None:
        """Start it, as after a crash, too."""
        self.process = subprocess.Popen(
            [
                str(self.programs / "postgres"),
                *("-D", str(self.folder / "data"), "-k", str(self.folder)),
                *("-c", "listen_addresses=", "-c", "max_connections=40"),
            ],
            cwd=self.folder,
            env=self.environ,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            **self.account,
        )
        for _ in range(300):
            if (self.folder / ".s.PGSQL.5432").exists() and self._ready():
                return
            time.sleep(0.1)
        raise RuntimeError("the server did not start")

    def _ready(self) -> bool:
        import psycopg

        try:
            psycopg.connect(f"postgresql://postgres@/postgres?host={self.folder}").close()
        except psycopg.Error:
            return False
        return True

    def crash(self) -> None:
        """End it at once, all its processes, with nothing written that was not yet."""
        self.process.send_signal(signal.SIGQUIT)
        self.process.wait(30)

    def __enter__(self) -> PrivateServer:
        subprocess.run(
            [
                str(self.programs / "initdb"),
                *("-D", str(self.folder / "data"), "-U", "postgres", "-A", "trust", "--no-sync"),
            ],
            cwd=self.folder,
            env=self.environ,
            check=True,
            capture_output=True,
            **self.account,
        )
        self.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.process.send_signal(signal.SIGINT)
        self.process.wait(30)
        shutil.rmtree(self.folder, ignore_errors=True)


# --- ledgers --------------------------------------------------------------------------------------


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A place where no ledger is yet, in each kind of database."""
    if request.param == "sqlite":
        yield str(tmp_path / "ledger.db")
        return
    server = request.getfixturevalue("postgres")
    import psycopg

    name = f"adjudge_test_{uuid.uuid4().hex}"
    with psycopg.connect(server.format("postgres"), autocommit=True) as admin:
        admin.execute(f"create database {name}".encode())
        yield server.format(name)
        admin.execute(f"drop database {name} with (force)".encode())


@pytest.fixture
def key(tmp_path: Path) -> SigningKey:
    """A key in a file ``log.key``."""
    return SigningKey.generate(tmp_path / "log.key")


@pytest.fixture
def ledger(url: str, key: SigningKey) -> Iterator[Ledger]:
    """A log with a key, which signs every append."""
    with Ledger.init(url, key, origin=ORIGIN) as made:
        yield made


@pytest.fixture
def tamper(url: str) -> Callable[..., None]:
    """Changes a ledger from outside, past its triggers."""

    def run(sql: str, *parameters: object) -> None:
        if not url.startswith("postgresql:"):
            import sqlite3

            db = sqlite3.connect(url)
            triggers = db.execute("select name from sqlite_master where type = 'trigger'")
            for (name,) in triggers.fetchall():
                db.execute(f"drop trigger {name}")
            db.execute(sql, parameters)
            db.commit()
            db.close()
            return
        import psycopg

        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("set session_replication_role = replica")
            connection.execute(sql.replace("?", "%s").encode(), parameters)

    return run
