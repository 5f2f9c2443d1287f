"""Who may write: one process at a time, and what is known of it.

The lock is the operating system's, so that a process that dies gives it up. What no system notices
is a process that hangs, or one on a machine that a shared disk has lost: its owner is written
beside the lock with a sign of life, and when that is old another process may take the lock over.
The one that was robbed finds its token gone and stops before it changes what is live.
"""

from __future__ import annotations

import json
import os
import socket
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rag.errors import StoreError, StoreLocked

if TYPE_CHECKING:
    from filelock import BaseFileLock

LOCK = "writer.lock"
OWNER = "writer.json"
HANGS_AFTER = 60.0  # seconds without a sign of life before the lock may be taken over
LATELY = 10.0  # seconds without a sign of life in which a writer is taken to be at work
BEAT = 1.0  # seconds between two signs of life, at most one write each


@dataclass(frozen=True, slots=True)
class Owner:
    """The process that writes, or that wrote last."""

    pid: int
    host: str
    began: float  # seconds since 1970
    token: str  # names this very run


@dataclass(slots=True)
class Lease:
    """The right to write to *folder*, as long as nobody has taken it over."""

    folder: Path
    owner: Owner
    beaten: float = 0.0

    def check(self, *, at_once: bool = False) -> None:
        """Give a sign of life. Raises StoreLocked if another process has taken over.

        Unless *at_once*, only if the last one was a while ago.
        """
        now = time.monotonic()
        if now - self.beaten < BEAT and not at_once:
            return
        self.beaten = now
        found = read_owner(self.folder)
        if found is None or found.token != self.owner.token:
            raise StoreLocked(
                f"another process took over writing to {self.folder}, since this one gave no sign"
                " of life; what it had not finished was dropped: run it again"
            )
        with suppress(OSError):
            os.utime(self.folder / OWNER)


def read_owner(folder: Path) -> Owner | None:
    """Who holds the lock of *folder* or held it last; None if nobody is written down."""
    try:
        found = json.loads((folder / OWNER).read_text(encoding="utf-8"))
        return Owner(**{name: kind(found[name]) for name, kind in _FIELDS.items()})
    except (OSError, ValueError, KeyError, TypeError):
        return None


_FIELDS: dict[str, type] = {"pid": int, "host": str, "began": float, "token": str}


def described(folder: Path) -> str:
    """The process that writes to *folder* in words: number, machine, how long, last sign."""
    owner = read_owner(folder)
    if owner is None:
        return "another process"
    since, silent = time.time() - owner.began, _silence(folder)
    return (
        f"another process ({owner.pid} on {owner.host}, since {_spell(since)},"
        f" last sign of life {_spell(silent)} ago)"
    )


def is_locked(folder: Path) -> bool:
    """Whether a process is writing to *folder* now."""
    from filelock import FileLock, Timeout  # late: readers do not lock

    if not (folder / LOCK).exists():
        return False
    try:
        with FileLock(folder / LOCK, timeout=0):
            return False
    except Timeout:
        return True
    except OSError:  # a folder that cannot be written has no writer
        return False


def seems_at_work(folder: Path) -> bool:
    """Whether a writer has lately given a sign of life, without touching the lock to find out."""
    return read_owner(folder) is not None and _silence(folder) < LATELY


@contextmanager
def writing(folder: Path, *, wait: float = 0.0, take_over: bool = False) -> Iterator[Lease]:
    """Be the one writer of *folder*, waiting up to *wait* seconds for another one.

    With *take_over*, a writer that has given no sign of life for HANGS_AFTER seconds is put out.
    Raises StoreLocked, or StoreError where nothing can be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = _acquired(folder, wait, take_over)
        owner = Owner(os.getpid(), socket.gethostname(), time.time(), uuid.uuid4().hex)
        _write_owner(folder, owner)
    except OSError as error:
        raise StoreError(
            f"the store folder {folder} cannot be written ({error.strerror}); choose another with"
            " --store"
        ) from error
    try:
        yield Lease(folder, owner)
    finally:
        found = read_owner(folder)
        if found is not None and found.token == owner.token:
            with suppress(OSError):
                (folder / OWNER).unlink()
        lock.release()


def _acquired(folder: Path, wait: float, take_over: bool) -> BaseFileLock:
    from filelock import FileLock, Timeout

    lock = FileLock(folder / LOCK)
    try:
        lock.acquire(timeout=wait)
    except Timeout as error:
        if not take_over:
            raise StoreLocked(_busy(folder)) from error
        if _silence(folder) < HANGS_AFTER:
            raise StoreLocked(
                f"{described(folder)} is indexing into {folder} and is alive; wait until it is done"
            ) from error
        # The lock belongs to the file that is open, not to its name: another file, another lock.
        (folder / LOCK).unlink(missing_ok=True)
        lock = FileLock(folder / LOCK)
        lock.acquire(timeout=0)
    return lock


def _busy(folder: Path) -> str:
    said = f"{described(folder)} is indexing into {folder}; wait until it is done"
    if read_owner(folder) is not None and _silence(folder) >= HANGS_AFTER:
        said += ", or if it hangs run `paperchat index --take-over`"
    return said


def _write_owner(folder: Path, owner: Owner) -> None:
    part = folder / f"{OWNER}.part"
    part.write_text(json.dumps(asdict(owner)), encoding="utf-8")
    part.replace(folder / OWNER)


def _silence(folder: Path) -> float:
    """Seconds since the writer's last sign of life; 0 if nobody is written down."""
    try:
        return max(0.0, time.time() - (folder / OWNER).stat().st_mtime)
    except OSError:
        return 0.0


def _spell(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"
