"""A disk whose power can be cut: ext4 on a loop device, where root may have one.

The shutdown ioctl makes the filesystem refuse everything at once and forget what is in
its journal's memory: after the next mount there is what an fsync had brought to the
disk, and of the rest what had gone there by chance. The image below is an ordinary file
of a machine that keeps its power, so a disk that lies about its cache is not tried.
"""

import fcntl
import os
import shutil
import struct
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

EXT4_IOC_SHUTDOWN = 0x8004587D
"""_IOR('X', 125, __u32), as XFS has it too."""
NOLOGFLUSH = 2
PATIENCE = 10.0

NONE = "no power was cut: that takes root, a loop device and mkfs.ext4"


@dataclass(frozen=True, slots=True)
class Disk:
    image: Path
    place: Path

    def cut_power(self) -> None:
        """From here on nothing reaches the disk, and nothing is read from it."""
        descriptor = os.open(self.place, os.O_RDONLY)
        try:
            fcntl.ioctl(descriptor, EXT4_IOC_SHUTDOWN, struct.pack("I", NOLOGFLUSH))
        finally:
            os.close(descriptor)

    def fill(self) -> None:
        """Leave not a byte of it, also not of what is kept for root."""
        free = os.statvfs(self.place)
        with self._ballast.open("wb") as file:
            for size in (1024 * 1024, 4096):
                with suppress(OSError):
                    for _ in range(free.f_bfree * free.f_bsize // size + 1):
                        os.posix_fallocate(file.fileno(), file.seek(0, 2), size)

    def clear(self) -> None:
        """Give back what `fill` took."""
        self._ballast.unlink()

    @property
    def _ballast(self) -> Path:
        return self.place / "ballast"

    def plug_in(self) -> None:
        """Mount it; the journal is replayed."""
        _run("mount", "-o", "loop", str(self.image), str(self.place))

    def unplug(self) -> None:
        """Unmount it, once the last of its users has ended."""
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                _run("umount", str(self.place))
            except subprocess.CalledProcessError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.05)
            else:
                return


@contextmanager
def a_disk(folder: Path, *, megabytes: int) -> Iterator[Disk | None]:
    """Yield a disk of its own, plugged in; None where this machine gives us none."""
    disk = Disk(folder / "disk.img", folder / "disk")
    if not _made(disk, megabytes):
        yield None
        return
    try:
        yield disk
    finally:
        disk.unplug()
        disk.image.unlink()


def _made(disk: Disk, megabytes: int) -> bool:
    if os.geteuid() != 0 or shutil.which("mkfs.ext4") is None:
        return False
    disk.place.mkdir(parents=True)
    with disk.image.open("wb") as file:
        file.truncate(megabytes * 1024 * 1024)
    try:
        _run("mkfs.ext4", "-q", "-F", str(disk.image))
        disk.plug_in()
    except subprocess.CalledProcessError:
        disk.image.unlink()
        return False
    disk.place.chmod(0o755)
    return True


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True)  # noqa: S603  # our words
