import asyncio
import os
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from scheduling.adapters.embedded.folders import (
    FolderInUse,
    free_port,
    lock_folder,
    own_folder,
    reachable_copy,
    unprivileged_user,
)
from scheduling.adapters.embedded.postgres import EmbeddedPostgres
from scheduling.adapters.embedded.program import (
    ServerFailed,
    as_user,
    running,
    start,
)

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")


def postgres_on(data_dir: Path) -> EmbeddedPostgres:
    return EmbeddedPostgres(data_dir=data_dir, port=free_port(), durable=False)


@pytest.fixture
def data_dir(tmp_path: Path) -> Iterator[Path]:
    """Under root this lies where only root may enter, as pytest's folders do."""
    yield tmp_path / "data"
    postgres_on(tmp_path / "data").remove()


async def ask(url: str, question: str) -> object:
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval(question)
    finally:
        await connection.close()


async def test_the_service_owns_its_database_and_is_no_superuser(
    data_dir: Path,
) -> None:
    postgres = EmbeddedPostgres.on_free_port(data_dir)
    async with running(postgres.program()):
        connection = await asyncpg.connect(postgres.database_url)
        try:
            login = await connection.fetchrow(
                "SELECT rolname, rolsuper, rolcreaterole, rolcreatedb FROM pg_roles "
                "WHERE rolname = current_user"
            )
            owner = await connection.fetchval(
                "SELECT pg_get_userbyid(datdba) FROM pg_database "
                "WHERE datname = current_database()"
            )
        finally:
            await connection.close()
    assert login is not None
    assert tuple(login.values()) == ("scheduling", False, True, False)
    assert owner == "scheduling"


async def test_it_keeps_its_word_and_listens_on_this_machine_only(
    data_dir: Path,
) -> None:
    postgres = EmbeddedPostgres.on_free_port(data_dir)
    wanted = {
        "fsync": "on",
        "synchronous_commit": "on",
        "listen_addresses": "127.0.0.1",
        "unix_socket_directories": "",
    }
    async with running(postgres.program()):
        settings = {
            name: await ask(postgres.superuser_url, f"SHOW {name}") for name in wanted
        }
    assert settings == wanted


async def test_a_wrong_password_is_refused(data_dir: Path) -> None:
    postgres = postgres_on(data_dir)
    async with running(postgres.program()):
        wrong = f"postgresql://scheduling:wrong@127.0.0.1:{postgres.port}/scheduling"
        with pytest.raises(asyncpg.InvalidPasswordError):
            await asyncpg.connect(wrong)


async def test_passwords_are_for_our_eyes_only(data_dir: Path) -> None:
    postgres = postgres_on(data_dir)
    async with running(postgres.program()):
        pass
    kept = data_dir / "postgres.json"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600


async def test_data_is_still_there_after_a_restart_on_another_port(
    data_dir: Path,
) -> None:
    first = postgres_on(data_dir)
    async with running(first.program()):
        await ask(first.database_url, "CREATE TABLE kept AS SELECT 42 AS answer")
    second = postgres_on(data_dir)
    async with running(second.program()):
        assert await ask(second.database_url, "SELECT answer FROM kept") == 42


async def test_a_server_that_outlived_its_supervisor_is_stopped_first(
    data_dir: Path,
) -> None:
    first = postgres_on(data_dir)
    program = first.program()
    program.prepare()
    with subprocess.Popen(  # noqa: ASYNC220, S603  # an orphan: nobody stops it
        program.command,
        cwd="/",
        env=program.environment,
        stderr=subprocess.DEVNULL,
        **as_user(program.user),
    ) as orphan:
        while not await program.is_ready():  # noqa: ASYNC110  # another process
            await asyncio.sleep(0.02)
        await ask(first.database_url, "CREATE TABLE kept AS SELECT 42 AS answer")
        second = postgres_on(data_dir)
        async with running(second.program()):
            assert orphan.wait(10) == 0
            assert await ask(second.database_url, "SELECT answer FROM kept") == 42


async def test_a_killed_server_leaves_nothing_that_stops_the_next(
    data_dir: Path,
) -> None:
    first = postgres_on(data_dir)
    started = await start(first.program())
    await started.ready()
    started.kill()
    await started.wait()
    second = postgres_on(data_dir)
    async with running(second.program()):
        assert await ask(second.database_url, "SELECT 1") == 1


async def test_a_process_number_used_again_is_not_taken_for_the_server(
    data_dir: Path,
) -> None:
    postgres = postgres_on(data_dir)
    async with running(postgres.program()):
        pass
    pid_file = postgres.cluster / "postmaster.pid"
    pid_file.write_text(f"{os.getpid()}\n{postgres.cluster}\n")
    async with running(postgres.program()):
        assert await ask(postgres.database_url, "SELECT 1") == 1


async def test_a_cluster_half_made_is_made_again(data_dir: Path) -> None:
    postgres = postgres_on(data_dir)
    postgres.program()
    (postgres.home / "new" / "cluster").mkdir(parents=True)
    (postgres.home / "new" / "cluster" / "PG_VERSION").write_text("18\n")
    async with running(postgres.program()):
        assert await ask(postgres.database_url, "SELECT 1") == 1


async def test_a_cluster_of_another_version_is_left_alone(data_dir: Path) -> None:
    postgres = postgres_on(data_dir)
    async with running(postgres.program()):
        pass
    (postgres.cluster / "PG_VERSION").write_text("17\n")
    with pytest.raises(ServerFailed, match="made by PostgreSQL 17"):
        await start(postgres.program())


def test_a_folder_named_postgres_that_is_not_ours_is_left_alone() -> None:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)  # here also root would keep it inside
        theirs = Path(folder, "postgres")
        theirs.mkdir()
        with pytest.raises(ServerFailed, match="choose another --data-dir"):
            postgres_on(Path(folder)).program()
        assert theirs.is_dir()


async def test_what_a_server_says_before_it_fails_is_passed_on(data_dir: Path) -> None:
    first = postgres_on(data_dir)
    async with running(first.program()):
        pass
    (first.cluster / "postgresql.auto.conf").write_text("no_such_setting = 1\n")
    started = await start(first.program())
    try:
        with pytest.raises(ServerFailed, match="no_such_setting"):
            await started.ready()
    finally:
        await started.stop()


@needs_root
async def test_it_does_not_run_as_root_even_where_only_root_may_enter(
    data_dir: Path,
) -> None:
    assert _root_only(data_dir.parent)
    before = [stat.S_IMODE(parent.stat().st_mode) for parent in data_dir.parents]
    postgres = postgres_on(data_dir)
    async with running(postgres.program()) as server:
        status = _status(server.pid)
    assert "0" not in status["Uid"]
    assert "0" not in status["Gid"]
    assert status["Groups"] == []
    after = [stat.S_IMODE(parent.stat().st_mode) for parent in data_dir.parents]
    assert after == before
    assert not postgres.cluster.is_relative_to(data_dir)


@needs_root
async def test_a_deleted_data_directory_begins_anew_and_destroys_nothing(
    data_dir: Path,
) -> None:
    first = postgres_on(data_dir)
    async with running(first.program()):
        await ask(first.database_url, "CREATE TABLE kept AS SELECT 42 AS answer")
    moved = data_dir.rename(data_dir.with_name("moved"))  # noqa: ASYNC240
    second = postgres_on(data_dir)
    async with running(second.program()):
        question = "SELECT count(*) FROM pg_tables WHERE tablename = 'kept'"
        assert await ask(second.database_url, question) == 0
    third = postgres_on(moved)
    async with running(third.program()):
        assert await ask(third.database_url, "SELECT answer FROM kept") == 42
    third.remove()


@needs_root
def test_a_cluster_that_was_taken_away_is_said_to_be_gone(data_dir: Path) -> None:
    postgres = postgres_on(data_dir)
    postgres.program()
    shutil.rmtree(postgres.home.parent)
    with pytest.raises(ServerFailed, match="is gone: delete"):
        postgres_on(data_dir).program()
    (data_dir / "postgres.json").unlink()


@needs_root
def test_binaries_in_a_root_only_folder_are_copied_for_their_user(
    tmp_path: Path,
) -> None:
    user = unprivileged_user()
    assert user is not None
    tree = tmp_path / "package" / "bin"
    tree.mkdir(parents=True)
    program = tree / "hello"
    program.write_text("#!/bin/sh\necho hello\n")
    program.chmod(0o700)
    name = f"test-{os.getpid()}"
    copy = reachable_copy(user, (tree,), name=name, below=tmp_path)
    try:
        said = subprocess.run(  # noqa: S603  # what this test wrote
            [copy / "package" / "bin" / "hello"],
            check=True,
            capture_output=True,
            cwd="/",
            **as_user(user),
        )
        assert said.stdout == b"hello\n"
        assert stat.S_IMODE(program.stat().st_mode) == 0o700
        again = reachable_copy(user, (tree,), name=name, below=tmp_path)
        assert again == copy
        assert own_folder(user, "binaries") == copy.parent
    finally:
        shutil.rmtree(copy)


def test_a_data_directory_serves_one_run_at_a_time(tmp_path: Path) -> None:
    descriptor = lock_folder(tmp_path)
    with pytest.raises(FolderInUse, match="another `scheduling dev`"):
        lock_folder(tmp_path)
    os.close(descriptor)
    os.close(lock_folder(tmp_path))


def _root_only(folder: Path) -> bool:
    user = unprivileged_user()
    return user is not None and not user.can_enter(folder)


def _status(pid: int) -> dict[str, list[str]]:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return {name: rest.split() for name, _, rest in (x.partition(":") for x in lines)}
