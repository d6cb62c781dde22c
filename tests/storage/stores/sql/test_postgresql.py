"""What a server adds: refusals with the way out, lost connections, restarts, its own clock."""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from threading import Event

import psycopg
import pytest
from sqlalchemy import Connection, event

from storage import AskTakenError, StoreUnavailable, StoreUnreadable, TrialStore, open_store
from storage.stores.sql import SqlStore, _migrations, _postgresql, _transactions
from tests.storage import postgres
from tests.storage.postgres import PASSWORD, PostgresServer, shared_server
from tests.storage.samples import STUDY, begin, evaluation, finish_next, record, suggestion


@pytest.fixture
def url() -> str:
    return postgres.ready_database()


@pytest.fixture
def store(url: str) -> Iterator[SqlStore]:
    made = SqlStore(url)
    made.create_study(record())
    yield made
    made.close()


@pytest.fixture
def own_server() -> Iterator[PostgresServer]:
    """A server that a test may stop."""
    server = postgres.new_server()
    server.start()
    yield server
    server.remove()


def _name(url: str) -> str:
    return url.partition("@/")[2].partition("?")[0]


def _database(url: str) -> Callable[[str], list[tuple[object, ...]]]:
    return lambda statement: shared_server().execute(statement, _name(url))


def test_a_server_needs_no_driver_in_its_url(url: str) -> None:
    store = open_store(url.replace("postgresql+psycopg", "postgresql"))
    assert store.studies() == []
    store.close()


def test_a_missing_driver_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    way_out = r"postgresql://ann:\*\*\*@host/db needs the driver 'psycopg'; install it with pip install"
    with pytest.raises(StoreUnreadable, match=way_out):
        open_store("postgresql://ann:secret@host/db")


@pytest.mark.parametrize(
    ("user", "password", "database", "reason"),
    [
        ("postgres", "guessed", "postgres", "the server refuses the password of user 'postgres'; correct it"),
        ("nobody", PASSWORD, "postgres", "the server refuses the password of user 'nobody'; correct it"),
        ("postgres", PASSWORD, "typo", "the server has no database 'typo'; make it with 'createdb typo'"),
    ],
)
def test_a_server_that_refuses_is_quoted_with_the_way_out(user: str, password: str, database: str, reason: str) -> None:
    url = shared_server().network_url(database, user=user, password=password)
    with pytest.raises(StoreUnreadable, match=re.escape(reason)) as caught:
        open_store(url)
    assert f"{user}:***@127.0.0.1" in str(caught.value)
    assert password not in str(caught.value)
    assert not isinstance(caught.value, StoreUnavailable)


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("postgresql://nobody@/postgres?host={folder}&port={port}", "the server has no user 'nobody'; make it with"),
        ("postgresql://ann@host.invalid/db", "there is no host 'host.invalid'; check the URL"),
        ("postgresql://ann@127.0.0.1:1/db", "no server answers at 127.0.0.1:1 (connection failed: "),
        ("postgresql://ann@/db?host=/nowhere", "no server answers at the socket (connection is bad: "),
    ],
)
def test_a_wrong_place_is_named(url: str, reason: str) -> None:
    server = shared_server()
    with pytest.raises(StoreUnreadable, match=re.escape(reason)):
        open_store(url.format(folder=server.folder, port=server.port))


def test_a_password_that_was_left_out_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGPASSFILE", "/nowhere")
    url = shared_server().network_url("postgres").replace(f":{PASSWORD.replace(' ', '%20')}", "")
    with pytest.raises(StoreUnreadable, match=r"wants a password; write it into the URL or ~/\.pgpass"):
        open_store(url)


def test_a_user_without_rights_is_told_which(url: str) -> None:
    run = _database(postgres.new_database())
    run("CREATE ROLE reader LOGIN")
    empty = postgres.new_database().replace("postgres@", "reader@")
    with pytest.raises(StoreUnreadable, match="the user may not do that; grant CREATE on its schema, or name"):
        open_store(empty)


def test_a_full_server_may_have_room_later(url: str) -> None:
    _database(url)("CREATE ROLE visitor LOGIN CONNECTION LIMIT 0")
    with pytest.raises(StoreUnavailable, match="the server has no connection left; end other clients, or raise"):
        open_store(url.replace("postgres@", "visitor@"))


def test_a_server_that_takes_no_writes_can_be_read(store: SqlStore, url: str) -> None:
    begin(store, 1)
    _database(url)(f"ALTER DATABASE {_name(url)} SET default_transaction_read_only = on")
    reader = SqlStore(url)
    assert len(reader.trials(STUDY)) == 1
    with pytest.raises(StoreUnreadable, match="takes no writes: it is a standby, or read-only; name"):
        reader.claim(STUDY, worker="w", limit=1, lease_seconds=1)
    reader.close()


def test_a_lock_that_does_not_end_is_reported(store: SqlStore, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    begin(store, 1)
    monkeypatch.setattr(_postgresql, "LOCK_SECONDS", 0.1)
    impatient = SqlStore(url)
    with (
        _holding(url),
        pytest.raises(StoreUnavailable, match="another process has held the study for too long"),
    ):
        impatient.claim(STUDY, worker="w", limit=1, lease_seconds=1)
    assert len(impatient.claim(STUDY, worker="w", limit=1, lease_seconds=1)) == 1
    impatient.close()


def test_a_reader_does_not_wait_for_a_writer(store: SqlStore, url: str) -> None:
    begin(store, 1)
    with _holding(url):
        assert (len(store.trials(STUDY)), len(store.unfinished(STUDY)), store.asks(STUDY)) == (1, 1, 1)


def test_a_process_that_was_stopped_in_a_transaction_holds_nobody_up(
    store: SqlStore, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin(store, 1)
    monkeypatch.setattr(_postgresql, "STALLED_SECONDS", 0.2)
    stopped = SqlStore(url)
    with stopped._engine.connect() as connection:
        connection.exec_driver_sql("SELECT * FROM studies FOR UPDATE")
        assert len(store.claim(STUDY, worker="w", limit=1, lease_seconds=1)) == 1
        connection.invalidate()
    stopped.close()


def test_leases_are_judged_by_the_clock_of_the_server(store: SqlStore, monkeypatch: pytest.MonkeyPatch) -> None:
    begin(store, 1)
    monkeypatch.setattr(time, "time", lambda: 0.0)
    (claimed,) = store.claim(STUDY, worker="w", limit=1, lease_seconds=60)
    monkeypatch.setattr(time, "time", lambda: 1e12)
    assert store.requeue_lost(STUDY) == 0
    ((now,),) = shared_server().execute("SELECT extract(epoch FROM clock_timestamp())::float8")
    assert claimed.started_at is not None
    assert isinstance(now, float)
    assert now - 3600 < claimed.started_at <= now


def test_the_driver_settings_of_a_url_are_kept(url: str) -> None:
    store = SqlStore(url + "&options=-c%20work_mem%3D7MB&application_name=mine")
    with store._engine.connect() as connection:
        names = ("work_mem", "application_name", "lock_timeout")
        shown = [connection.exec_driver_sql(f"SHOW {name}").scalar() for name in names]
    assert shown == ["7MB", "mine", "0"]
    store.close()


def test_a_server_with_another_isolation_by_default_gives_each_ask_once(store: SqlStore, url: str) -> None:
    _database(url)(f"ALTER DATABASE {_name(url)} SET default_transaction_isolation = 'repeatable read'")
    others = [SqlStore(url) for _ in range(3)]

    def ask(one: SqlStore) -> int:
        for number in range(40):
            with suppress(AskTakenError):
                one.begin(STUDY, [suggestion(number)], ask_number=one.asks(STUDY), stage="search")
        return 0

    with ThreadPoolExecutor(len(others)) as pool:
        assert sum(pool.map(ask, others)) == 0
    asked = [trial.ask_number for trial in store.trials(STUDY)]
    assert asked == list(range(len(asked)))
    for one in others:
        one.close()


def test_what_was_committed_survives_a_crash_of_a_careless_server(url: str) -> None:
    _database(url)(f"ALTER DATABASE {_name(url)} SET synchronous_commit = off")
    store = SqlStore(url)
    with store._engine.connect() as connection:
        assert connection.exec_driver_sql("SHOW synchronous_commit").scalar() == "on"
    store.close()


def test_a_connection_that_was_cut_is_replaced(store: SqlStore, url: str) -> None:
    begin(store, 2)
    _cut(url)
    assert len(store.trials(STUDY)) == 2
    _cut(url)
    assert len(finish_next(store)) == 1


@pytest.mark.parametrize("is_kept", [True, False])
def test_a_commit_whose_answer_was_lost_happens_once(store: SqlStore, url: str, is_kept: bool) -> None:
    begin(store, 1)
    cuts: list[Connection] = []

    def cut(connection: Connection) -> None:
        if not cuts:
            cuts.append(connection)
            if is_kept:
                connection.connection.commit()
            _cut(url)

    event.listen(store._engine, "commit", cut)
    (begun,) = store.begin(STUDY, [suggestion(1)], ask_number=1, stage="search", worker="w")
    assert (begun.number, len(store.trials(STUDY)), store.workers(STUDY)) == (1, 2, ["w"])
    cuts.clear()
    (claimed,) = store.claim(STUDY, worker="v", limit=9, lease_seconds=60)
    cuts.clear()
    assert [one.finish_order for one in store.finish(STUDY, [(claimed.number, evaluation())], worker="v")] == [1]
    assert len(cuts) == 1


@pytest.mark.slow
@pytest.mark.parametrize("crash", [False, True])
def test_a_search_survives_restarts_of_its_server(own_server: PostgresServer, crash: bool) -> None:
    url = own_server.new_database()
    store = SqlStore(url)
    store.create_study(record())
    enough = Event()
    with ThreadPoolExecutor(3) as pool:
        searches = [pool.submit(_search, SqlStore(url), f"w{number}", enough) for number in range(3)]
        for _ in range(3):
            seen = len(store.trials(STUDY, finished_after=0))
            own_server.stop(crash=crash)
            time.sleep(0.3)
            own_server.start()
            _wait_for(store, seen + 5, searches)
        enough.set()
        ended = [number for search in searches for number in search.result()]
    trials = store.trials(STUDY)
    assert [trial.number for trial in trials] == list(range(len(trials)))
    assert [trial.finish_order for trial in store.trials(STUDY, finished_after=0)] == list(range(1, len(ended) + 1))
    assert sorted(ended) == [trial.number for trial in trials if trial.state.is_finished]
    assert (store.unfinished(STUDY), store.workers(STUDY), {trial.losses for trial in trials}) == ([], [], {0})
    store.close()


def test_a_store_opens_though_its_server_restarts_in_the_middle(
    own_server: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = own_server.new_database()
    found, stopped = _migrations._found, Event()

    def cut(connection: Connection) -> str | None:
        if not stopped.is_set():
            own_server.stop()
            stopped.set()
        return found(connection)

    monkeypatch.setattr(_migrations, "_found", cut)
    with ThreadPoolExecutor(1) as pool:
        opening = pool.submit(SqlStore, url)
        assert stopped.wait(timeout=30)
        time.sleep(0.2)
        own_server.start()  # by this thread: a server ends with the one that started it
        store = opening.result()
    assert store.studies() == []
    store.close()


def test_a_server_that_stays_away_is_reported(own_server: PostgresServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_transactions, "RECONNECT_SECONDS", 0.3)
    store = SqlStore(own_server.new_database())
    store.create_study(record())
    own_server.stop()
    calls: tuple[Callable[[], object], ...] = (lambda: store.trials(STUDY), lambda: begin(store, 1))
    for call in calls:
        with pytest.raises(StoreUnavailable, match=r"no server answers at .*; start it or check the network"):
            call()
    own_server.start()
    assert begin(store, 1) == store.trials(STUDY)
    store.close()


def test_a_commit_of_which_nothing_can_be_learnt_says_so(
    own_server: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_transactions, "RECONNECT_SECONDS", 0.3)
    store = SqlStore(own_server.new_database())
    store.create_study(record())
    event.listen(store._engine, "commit", lambda connection: own_server.stop())
    with pytest.raises(StoreUnavailable, match="in the middle of a commit and did not come back, so the last"):
        begin(store, 1)
    store.close()


def _search(store: TrialStore, worker: str, enough: Event) -> list[int]:
    """Begins and ends trials until it is enough; the numbers that it ended."""
    ended = []
    while not enough.is_set():
        try:
            begun = store.begin(STUDY, [suggestion()], ask_number=store.asks(STUDY), stage="search", worker=worker)
        except AskTakenError:
            continue
        outcomes = [(trial.number, evaluation()) for trial in begun]
        ended += [trial.number for trial in store.finish(STUDY, outcomes, worker=worker)]
    store.close()
    return ended


def _wait_for(store: TrialStore, trials: int, searches: Sequence[Future[list[int]]]) -> None:
    """Until so many have ended; a search that ended early shows why."""
    while len(store.trials(STUDY, finished_after=0)) < trials:
        for search in searches:
            if search.done():
                search.result()
        time.sleep(0.02)


def _cut(url: str) -> None:
    """Ends the server's side of all connections to the database."""
    query = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = '{}'"
    shared_server().execute(query.format(_name(url)))


@contextmanager
def _holding(url: str) -> Iterator[None]:
    """A transaction of another program that holds the study."""
    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        connection.execute("SELECT * FROM studies FOR UPDATE")
        yield
