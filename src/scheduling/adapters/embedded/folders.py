"""Whom servers run as, and folders that this user can reach.

PostgreSQL refuses to run as root. Under root it runs as a user without rights, who may
not enter every folder that root may: a checkout below /root, for one. Permissions of
folders that are not ours stay as they are; what that user needs is kept elsewhere.
"""

import fcntl
import hashlib
import itertools
import os
import pwd
import shutil
import socket
import stat
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

OWN_FOLDERS = (Path("/var/lib/scheduling-dev"), Path("/var/tmp/scheduling-dev"))  # noqa: S108  # checked to be ours before use

LOG_SIZE = 5_000_000  # bytes


class FolderInUse(RuntimeError):
    """Another `scheduling dev` works on this folder."""


@dataclass(frozen=True)
class Unprivileged:
    name: str
    uid: int
    gid: int

    def can_enter(self, folder: Path) -> bool:
        """Ask the kernel rather than read permission bits: there are ACLs, mounts."""
        try:
            asked = subprocess.run(  # noqa: S603  # no shell expands the argument
                ["/bin/sh", "-c", 'cd -- "$1"', "sh", str(folder)],
                user=self.uid,
                group=self.gid,
                extra_groups=[],
                cwd="/",
                check=False,
                capture_output=True,
            )
        except PermissionError as error:
            raise RuntimeError(
                f"PostgreSQL may not run as root, and this root may not become "
                f"{self.name}: {error}. Run as a normal user, or set "
                "SCHEDULING_DATABASE_URL."
            ) from error
        return asked.returncode == 0


def unprivileged_user() -> Unprivileged | None:
    """Return the user that servers run as under root; None when we are not root."""
    if os.geteuid() != 0:
        return None
    for name in ("nobody", "daemon", "postgres"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        if entry.pw_uid != 0:
            return Unprivileged(entry.pw_name, entry.pw_uid, entry.pw_gid)
    raise RuntimeError(
        "PostgreSQL may not run as root, and this machine has no user nobody, daemon "
        "or postgres. Run as a normal user, or set SCHEDULING_DATABASE_URL."
    )


def elsewhere(user: Unprivileged, data_dir: Path) -> Path:
    """Make a folder for a data directory that `user` may not enter.

    It is named after the data directory, which must remember it: where the name is
    taken, that data directory has been deleted or moved, and we cannot know which.
    """
    name = hashlib.sha256(str(data_dir.resolve()).encode()).hexdigest()[:16]
    folder = own_folder(user, name)
    for number in itertools.count(2):
        if not any(folder.iterdir()):
            (folder / "data-directory").write_text(f"{data_dir.resolve()}\n")
            return folder
        print(  # noqa: T201  # a person at the terminal should know
            f"{folder} holds the data of a {data_dir} that was deleted or moved; "
            "delete it if it is not needed",
            file=sys.stderr,
        )
        folder = own_folder(user, f"{name}-{number}")
    raise AssertionError


def own_folder(user: Unprivileged, name: str) -> Path:
    """Return an existing folder of ours outside the checkout that `user` can enter."""
    for base in OWN_FOLDERS:
        try:
            folder = base / name
            if _made(base) and _made(folder) and user.can_enter(folder):
                return folder
        except OSError:
            continue
    tried = ", ".join(str(base) for base in OWN_FOLDERS)
    raise RuntimeError(
        f"{user.name} needs a folder for PostgreSQL; tried {tried}. Choose a "
        "--data-dir that everybody may enter, or set SCHEDULING_DATABASE_URL."
    )


def _made(folder: Path) -> bool:
    """Make a folder that all may enter and only we may change; False if it is not."""
    try:
        folder.mkdir(parents=True)
        folder.chmod(0o755)  # whatever the umask
    except FileExistsError:
        pass
    found = folder.lstat()
    return (
        stat.S_ISDIR(found.st_mode)
        and found.st_uid == os.geteuid()
        and not found.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
    )


def reachable_copy(
    user: Unprivileged, trees: tuple[Path, ...], *, name: str, below: Path
) -> Path:
    """Return where `trees` are that `user` can read them: in place, or a copy.

    `below` is the folder that holds them all; the answer takes its place. `name`
    names the version, so that an upgrade makes a new copy.
    """
    if all(user.can_enter(tree) for tree in trees):
        return below
    copies = own_folder(user, "binaries")
    copy = copies / name
    if not copy.exists():
        new = Path(tempfile.mkdtemp(prefix=".new-", dir=copies))
        for tree in trees:
            shutil.copytree(
                tree,
                new / tree.relative_to(below),
                symlinks=True,
                ignore=shutil.ignore_patterns("include", "*.a", "pgxs", "__pycache__"),
            )
        _open_for_reading(new)
        try:
            new.rename(copy)
        except OSError:  # another process was first
            shutil.rmtree(new)
    return copy


def _open_for_reading(tree: Path) -> None:
    tree.chmod(0o755)
    for folder, _, files in os.walk(tree):
        Path(folder).chmod(0o755)
        for file in files:
            path = Path(folder, file)
            if not path.is_symlink():
                path.chmod(0o755 if path.stat().st_mode & stat.S_IXUSR else 0o644)


def lock_folder(folder: Path) -> int:
    """Take a folder for this process until the descriptor closes or the process ends.

    Raises FolderInUse. The kernel gives the lock back, whatever kills us.
    """
    descriptor = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(descriptor)
        raise FolderInUse(
            f"another `scheduling dev` is running on {folder}; stop it, or choose "
            "another --data-dir"
        ) from error
    return descriptor


def free_port() -> int:
    """Return a TCP port of 127.0.0.1 that nobody listens on right now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def write_private(file: Path, text: str) -> None:
    """Write a file that only its owner reads, whole or not at all."""
    new = file.with_name(f".{file.name}.new")
    new.unlink(missing_ok=True)
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as out:
        out.write(text)
        out.flush()
        os.fsync(out.fileno())
    new.replace(file)


def trim_log(file: Path) -> None:
    """Make a private log file; begin anew when it has grown beyond 5 MB."""
    if file.exists() and file.stat().st_size > LOG_SIZE:
        file.unlink()
    file.touch(mode=0o600)
