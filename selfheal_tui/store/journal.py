r"""A TinyDB storage that appends: one line per change, read from memory, safe under `kill -9`.

TinyDB's own storage rewrites the whole file for each record and can be torn by a crash. This one writes
`crc32 json\n` lines of `[[operation, table, id, document], …]`; a line is atomic, so a batch is all or
nothing. What was read once is only added to. It may not interpret documents, and never drops a line
that was complete: a damaged line is an error that names the file.
"""

from __future__ import annotations

import contextlib
import os
import threading
import zlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec
from tinydb.storages import Storage

from selfheal_tui.store.durable import PRIVATE_FILE, create_file, remove_file, sync_directory, write_all
from selfheal_tui.store.errors import CorruptStoreError, StoreUnavailableError, StoreWriteError
from selfheal_tui.store.lock import StoreLock

PUT, DELETE, CLEAR = "+", "-", "0"
Operation = tuple[str, str, int, dict[str, Any] | None]
Tables = dict[str, dict[str, dict[str, Any]]]
_LINE = msgspec.json.Decoder(list[Operation])


def encode_line(operations: Iterable[Operation]) -> bytes:
    """Encodes one atomic line, with its newline."""
    body = msgspec.json.encode(list(operations))
    return b"%08x " % zlib.crc32(body) + body + b"\n"


def decode_line(raw: bytes) -> list[Operation] | None:
    """Decodes a line without its newline; None if it is not one that was written whole."""
    if raw[8:9] != b" " or raw[:8] != b"%08x" % zlib.crc32(raw[9:]):
        return None
    try:
        return _LINE.decode(raw[9:])
    except msgspec.DecodeError:
        return None


class JournalStorage(Storage):
    """The journal of one file.

    Args:
        file: The journal.
        lock: The store's lock, held while writing.
        keys: Field that identifies a document, by table; documents are found by it in O(1).
        compact: Whether superseded lines may be dropped.
        compact_min: Operations below which compaction is not worth while.
        compact_ratio: Operations per living document that trigger it.

    Raises:
        StoreUnavailableError: The file cannot be opened.
        CorruptStoreError: The file holds a damaged line.
    """

    def __init__(
        self,
        file: Path,
        lock: StoreLock,
        *,
        keys: Mapping[str, str] | None = None,
        compact: bool = True,
        compact_min: int = 1000,
        compact_ratio: float = 3.0,
    ) -> None:
        self.file = file
        self.lock = lock
        self._keys = dict(keys or {})
        self._compact, self._compact_min, self._compact_ratio = compact, compact_min, compact_ratio
        self._depth = 0
        self._changed: dict[str, dict[str, None] | None] = {}
        self.guard = threading.RLock()  # for what is in memory; taken after the store's lock, never before
        self._descriptor = -1
        self._reset()
        self._open()
        try:
            self.refresh()
        except BaseException:
            self.close()
            raise

    # -- state ------------------------------------------------------------------------------------

    def _reset(self) -> None:
        self.tables: Tables = {}
        self._highest: dict[str, int] = {}
        self._index: dict[str, dict[str, int]] = {}
        self._offset = 0
        self._operations = 0
        self._changed = dict.fromkeys(self._changed)

    def _open(self) -> None:
        flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW
        try:
            fresh = not self.file.exists()
            descriptor = os.open(self.file, flags, PRIVATE_FILE)
            if fresh:
                sync_directory(self.file.parent)
        except OSError as error:
            raise StoreUnavailableError(
                f"cannot open {self.file}: {error.strerror or error}",
                "make it readable and writable for this user",
            ) from error
        if self._descriptor >= 0:
            os.close(self._descriptor)
        self._descriptor = descriptor

    def close(self) -> None:
        """Lets the file go; the storage is unusable afterwards."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    # -- reading ----------------------------------------------------------------------------------

    def refresh(self) -> None:
        """Reads what others appended since the last time, and nothing else.

        Raises:
            CorruptStoreError: A complete line is damaged.
        """
        with self.guard:
            try:
                self._catch_up()
            except CorruptStoreError:
                # Our offset may be in the middle of a line if a writer took a failed append back and another
                # wrote in its place; only what a reading from the start finds is damage.
                self._reset()
                self._catch_up()

    def _catch_up(self) -> None:
        ours = os.fstat(self._descriptor)
        try:
            named = os.stat(self.file, follow_symlinks=False)  # noqa: PTH116
        except FileNotFoundError:
            named = None
        if named is None or (named.st_ino, named.st_dev) != (ours.st_ino, ours.st_dev):
            self._open()
            self._reset()
            ours = os.fstat(self._descriptor)
        if ours.st_size < self._offset:
            self._reset()
        if ours.st_size > self._offset:
            self._replay(ours.st_size)

    def _replay(self, size: int) -> None:
        data = read_range(self._descriptor, self._offset, size)
        end = data.rfind(b"\n") + 1  # a torn tail stays unread until a writer cuts it
        position = 0
        while position < end:
            stop = data.index(b"\n", position)
            operations = decode_line(data[position:stop])
            if operations is None:
                raise CorruptStoreError(
                    self.file,
                    f"the line at byte {self._offset} is damaged",
                    f"keep a copy of it, then set the line aside: python -m selfheal_tui.store.repair {self.file}"
                    if self._compact
                    else "run `selfheal history --verify`; move the audit files away to begin a new chain",
                )
            self._take(operations)
            self._offset += stop + 1 - position
            position = stop + 1

    def _take(self, operations: Iterable[Operation]) -> None:
        for operation, table, number, document in operations:
            self._operations += 1
            self._note_change(operation, table, number)
            rows = self.tables.setdefault(table, {})
            key = self._keys.get(table)
            index = self._index.setdefault(table, {})
            if operation == PUT and document is not None:
                rows[str(number)] = document
                self._highest[table] = max(self._highest.get(table, 0), number)
                if key is not None:
                    index[str(document.get(key))] = number
            elif operation == DELETE:
                gone = rows.pop(str(number), None)
                if key is not None and gone is not None and index.get(str(gone.get(key))) == number:
                    del index[str(gone.get(key))]
            elif operation == CLEAR:
                rows.clear()
                index.clear()
            else:
                raise CorruptStoreError(
                    self.file,
                    f"unknown operation {operation!r}",
                    "a newer selfheal wrote it; use that version",
                )

    def _note_change(self, operation: str, table: str, number: int) -> None:
        noted = self._changed.get(table)
        if noted is None:
            return
        if operation == PUT:
            noted[str(number)] = None
        else:
            self._changed[table] = None

    def changed(self, table: str) -> list[str] | None:
        """Returns the ids that changed since the last call, for one reader; None when all may have."""
        noted = self._changed.get(table)
        self._changed[table] = {}
        return None if noted is None else list(noted)

    def signature(self) -> tuple[int, int]:
        """Returns inode and size of the file: they change with every line, and cost one `stat`."""
        try:
            found = os.stat(self.file, follow_symlinks=False)  # noqa: PTH116
        except FileNotFoundError:
            return (0, 0)
        return (found.st_ino, found.st_size)

    def number_of(self, table: str, key: str) -> int | None:
        """Finds the document of a keyed table, in what was read so far."""
        return self._index.get(table, {}).get(key)

    def next_number(self, table: str) -> int:
        """Next free id of a table; ids are never used twice."""
        return self._highest.get(table, 0) + 1

    # -- writing ----------------------------------------------------------------------------------

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Holds the lock with everything read and no torn tail in the way.

        Raises:
            StoreLockedError: Another process does not let go.
            CorruptStoreError: A complete line is damaged.
        """
        with self.lock.held():
            self._depth += 1
            try:
                if self._depth == 1:
                    self.refresh()
                    if os.fstat(self._descriptor).st_size > self._offset:
                        os.ftruncate(self._descriptor, self._offset)
                yield
            finally:
                self._depth -= 1

    def append(self, operations: list[Operation]) -> None:
        """Appends one atomic line; it is on the disk when this returns.

        Args:
            operations: What changes; callers must hold `locked()`.

        Raises:
            StoreWriteError: The disk is full or failing; nothing was appended.
        """
        line = encode_line(operations)
        with self.guard:
            try:
                write_all(self._descriptor, line)
                os.fdatasync(self._descriptor)
            except OSError as error:
                with contextlib.suppress(OSError):
                    os.ftruncate(self._descriptor, self._offset)
                raise StoreWriteError(
                    f"cannot write {self.file}: {error.strerror or error}",
                    "free space on its disk and try again; nothing before this record was lost",
                ) from error
            self._offset += len(line)
            # Decoded anew, so that memory holds what a reader of the file would have, shared with nobody.
            self._take(decode_line(line[:-1]) or ())
            living = sum(map(len, self.tables.values()))
            if self._compact and self._operations > max(self._compact_min, self._compact_ratio * living):
                self._drop_superseded()

    def _drop_superseded(self) -> None:
        """Writes the living documents to a new file and puts it in the old one's place."""
        temporary = self.file.with_name(f"{self.file.name}.tmp")
        lines = [
            encode_line([(PUT, table, int(number), document)])
            for table, rows in self.tables.items()
            for number, document in rows.items()
        ]
        # Ids stay unique: a table whose newest document was deleted remembers its highest id.
        lines.extend(
            encode_line([(PUT, table, highest, {}), (DELETE, table, highest, None)])
            for table, highest in self._highest.items()
            if str(highest) not in self.tables.get(table, {})
        )
        try:
            remove_file(temporary)
            create_file(temporary, b"".join(lines))
            os.replace(temporary, self.file)  # noqa: PTH105
            sync_directory(self.file.parent)
        except OSError:
            # Compaction only saves space: without room for the new file the old one goes on.
            with contextlib.suppress(OSError):
                remove_file(temporary)
            self._compact_min = self._operations * 2
            return
        self._open()
        self._offset = os.fstat(self._descriptor).st_size
        self._operations = len(lines)

    # -- TinyDB's storage protocol, for code that knows only TinyDB --------------------------------

    def read(self) -> Tables | None:
        """Returns all tables, as TinyDB asks for them; callers must not change the tables."""
        self.refresh()
        return dict(self.tables) or None  # `drop_table` takes its table out of what it gets

    def write(self, data: Mapping[str, Mapping[Any, Mapping[str, Any]]]) -> None:
        """Makes the tables equal to `data` by appending the differences as one line."""
        with self.locked():
            operations: list[Operation] = []
            for table in sorted(set(self.tables) | set(data)):
                old = self.tables.get(table, {})
                new = {str(number): dict(document) for number, document in data.get(table, {}).items()}
                operations += [(DELETE, table, int(number), None) for number in old if number not in new]
                operations += [(PUT, table, int(n), doc) for n, doc in new.items() if old.get(n) != doc]
            if operations:
                self.append(operations)


def read_range(descriptor: int, start: int, stop: int) -> bytes:
    """Reads the bytes from `start` up to `stop`, or fewer if the file ends before."""
    parts = []
    while start < stop:
        part = os.pread(descriptor, stop - start, start)
        if not part:
            break
        parts.append(part)
        start += len(part)
    return b"".join(parts)
