"""Which migrations there are and where a database stands, without loading Alembic.

Alembic brings SQLAlchemy's ORM: 0.5 s and 30 MiB, for a process that only compares two
names. `migrating.py` loads it when there is something to do.
"""

import ast
from importlib.resources import files
from pathlib import Path

import asyncpg


def migrations_folder() -> Path:
    """The wheel carries the migrations inside the package, a checkout at its root."""
    package = Path(str(files("scheduling")))
    shipped = package / "_migrations"
    return shipped if shipped.is_dir() else package.parents[1] / "migrations"


def newest_revision() -> str:
    """Return the one revision that no other follows."""
    followed = {
        names["revision"]: names["down_revision"]
        for names in map(_names, (migrations_folder() / "versions").glob("*.py"))
    }
    newest = followed.keys() - followed.values()
    if len(newest) != 1:
        raise RuntimeError(
            f"the migrations in {migrations_folder()} do not stand in one line"
        )
    return str(newest.pop())


def older_revisions() -> frozenset[str]:
    """Return those that another of ours follows.

    A database at one that is not known here was migrated by a newer build, which has
    only added to what this one needs: expand first, contract when nobody old is left.
    """
    versions = (migrations_folder() / "versions").glob("*.py")
    followed = {str(names["down_revision"]) for names in map(_names, versions)}
    return frozenset(followed - {"None"})


async def standing_revision(database_url: str) -> str | None:
    """Return where the database stands; None before the first migration."""
    connection = await asyncpg.connect(database_url)
    try:
        found = await connection.fetchval("SELECT version_num FROM alembic_version")
    except asyncpg.UndefinedTableError:
        return None
    finally:
        await connection.close()
    return None if found is None else str(found)


def _names(file: Path) -> dict[str, object]:
    """Read the constants at a migration's top without running it."""
    names: dict[str, object] = {}
    for line in ast.parse(file.read_text(encoding="utf-8")).body:
        if isinstance(line, ast.Assign) and isinstance(line.value, ast.Constant):
            target = line.targets[0]
            if isinstance(target, ast.Name):
                names[target.id] = line.value.value
    return names
