"""Crash reports that the probe left, taken in with suspicion: whoever runs the program can write here.

Nothing is followed, unpickled or believed: only regular files of bounded size that have exactly the
shape of a report are loaded; the rest is set aside with the reason beside it.
"""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path

from selfheal_tui.model.crash import WIRE_VERSION, CrashReport
from selfheal_tui.model.serial import MalformedDocumentError, from_json
from selfheal_tui.store.durable import private_directory, remove_file, replace_file
from selfheal_tui.store.errors import BadReportError, StoreWriteError

LARGEST_REPORT = 8 * 1024 * 1024
"""Bytes; the probe bounds a report to far less, so a larger file is not one."""

_PLAIN_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,199}")


class Inbox:
    """The folder into which the probe writes.

    Args:
        directory: `.selfheal/inbox`.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = private_directory(directory)
        self.bad = private_directory(directory / "bad")

    def pending(self) -> list[Path]:
        """Returns the reports that wait, in the order in which they were written."""
        with os.scandir(self.directory) as entries:
            found = [
                (entry.stat(follow_symlinks=False).st_mtime_ns, entry.name)
                for entry in entries
                if entry.name.endswith(".json") and not entry.name.startswith(".")
            ]
        return [self.directory / name for _, name in sorted(found)]

    def load(self, file: Path) -> CrashReport:
        """Reads a report; one that cannot be read is moved to `bad/`, with the reason beside it.

        Args:
            file: One of `pending()`.

        Raises:
            BadReportError: It is not a report; it was set aside.
        """
        try:
            return _parse(self._read(file))
        except (MalformedDocumentError, OSError, RecursionError, UnicodeError) as error:
            self._set_aside(file, str(error))
            raise BadReportError(
                f"{file.name} is not a crash report: {error}", f"it was moved to {self.bad}"
            ) from error

    def refuse(self, file: Path, reason: str) -> None:
        """Moves a report to `bad/` that has the right shape and cannot be worked with all the same.

        Args:
            file: One of `pending()`.
            reason: Why, for the file beside it.
        """
        self._set_aside(self._own(file), reason)

    def done(self, file: Path) -> None:
        """Removes a report that was taken in; its payloads stay until `forget`.

        Raises:
            StoreWriteError: It cannot be removed.
        """
        self._remove(self._own(file))

    def payload(self, report: CrashReport, name: str) -> Path | None:
        """Finds the pickle that belongs to a report; it may be opened inside the sandbox only.

        Args:
            report: The report.
            name: The name that the report gives it.

        Returns:
            The file, or None if the name is not plain, not the report's, or not a regular file here.
        """
        if not _PLAIN_NAME.fullmatch(name) or name not in {call.payload for call in report.replay}:
            return None
        file = self.directory / name
        try:
            found = file.lstat()
        except OSError:
            return None
        return file if stat.S_ISREG(found.st_mode) else None

    def forget(self, report: CrashReport) -> None:
        """Removes the payloads of a report that will not be replayed again.

        Raises:
            StoreWriteError: One cannot be removed.
        """
        for call in report.replay:
            file = self.payload(report, call.payload) if call.payload else None
            if file is not None:
                self._remove(file)

    def _own(self, file: Path) -> Path:
        if file.parent != self.directory:
            raise BadReportError(f"{file} is not in the inbox", "pass a file of Inbox.pending()")
        return file

    def _read(self, file: Path) -> bytes:
        # Non-blocking, so that a named pipe put here cannot hold the healer up.
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        descriptor = os.open(self._own(file), flags)
        with os.fdopen(descriptor, "rb") as opened:
            found = os.fstat(descriptor)
            if not stat.S_ISREG(found.st_mode):
                raise MalformedDocumentError("it is not a regular file")
            data = opened.read(LARGEST_REPORT + 1)
        if len(data) > LARGEST_REPORT:
            raise MalformedDocumentError(f"it is larger than {LARGEST_REPORT // 1024 // 1024} MiB")
        return data

    def _set_aside(self, file: Path, reason: str) -> None:
        target = self.bad / file.name
        number = 0
        while os.path.lexists(target):
            number += 1
            target = self.bad / f"{file.name}_{number}"
        try:
            os.replace(file, target)  # noqa: PTH105
            replace_file(
                target.with_name(f"{target.name}.reason.txt"), f"{reason}\n".encode(errors="replace")
            )
        except FileNotFoundError:
            return  # another process has set it aside already
        except OSError as error:
            raise StoreWriteError(
                f"cannot set {file} aside: {error.strerror or error}", "remove it by hand"
            ) from error

    def _remove(self, file: Path) -> None:
        try:
            remove_file(file)
        except OSError as error:
            raise StoreWriteError(
                f"cannot remove {file}: {error.strerror or error}", "remove it by hand"
            ) from error


def _parse(data: bytes) -> CrashReport:
    report = from_json(data, CrashReport)
    if report.wire_version > WIRE_VERSION:
        raise MalformedDocumentError(
            f"it has wire version {report.wire_version}, and this selfheal knows {WIRE_VERSION}; update it"
        )
    if not report.chain:
        raise MalformedDocumentError("it holds no exception")
    return report
