"""TinyDB's table over the journal: each change becomes a line, each reading sees other processes' lines.

Only the methods that would rewrite a whole table are replaced; queries are TinyDB's own. It may not
hand out what it holds: documents are copies.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Mapping, MutableMapping
from typing import Any, cast

from tinydb import TinyDB
from tinydb.queries import QueryLike
from tinydb.storages import JSONStorage
from tinydb.table import Document, Table

from selfheal_tui.store.journal import CLEAR, DELETE, PUT, JournalStorage, Operation

Fields = Mapping[Any, Any] | Callable[[MutableMapping[Any, Any]], None]


class OwnDocument(Document):
    """A copy, so that callers cannot change what the store holds."""

    def __init__(self, value: Mapping[str, Any], doc_id: int) -> None:
        super().__init__(copy.deepcopy(dict(value)), doc_id)


class JournalTable(Table):
    """A table whose writing costs the same however long it is."""

    document_class = OwnDocument
    default_query_cache_capacity = 0  # other processes write too, and a cache would not know

    @property
    def journal(self) -> JournalStorage:
        """The storage, as what it is."""
        return cast("JournalStorage", self._storage)

    def _rows(self) -> dict[str, dict[str, Any]]:
        return self.journal.tables.get(self.name, {})

    def insert(self, document: Mapping[str, Any]) -> int:
        """Adds a document; returns its id."""
        return self.insert_multiple([document])[0]

    def insert_multiple(self, documents: Iterable[Mapping[str, Any]]) -> list[int]:
        """Adds documents, all or none; returns their ids.

        Raises:
            ValueError: An id is taken, or something is not a mapping.
        """
        with self.journal.locked():
            operations: list[Operation] = []
            numbers: list[int] = []
            following = self.journal.next_number(self.name)
            for document in documents:
                if not isinstance(document, Mapping):
                    raise ValueError("Document is not a Mapping")  # noqa: TRY004 - what TinyDB raises
                number = document.doc_id if isinstance(document, Document) else following
                if str(number) in self._rows() or number in numbers:
                    raise ValueError(f"Document with ID {number} already exists")
                following = max(following, number + 1)
                numbers.append(number)
                operations.append((PUT, self.name, number, dict(document)))
            if operations:
                self.journal.append(operations)
            return numbers

    def update(
        self, fields: Fields, cond: QueryLike | None = None, doc_ids: Iterable[int] | None = None
    ) -> list[int]:
        """Changes documents, all or none; returns their ids.

        Raises:
            KeyError: An id is unknown.
        """
        with self.journal.locked():
            operations: list[Operation] = []
            for number in self._chosen(cond, doc_ids):
                document = copy.deepcopy(self._rows()[str(number)])
                if callable(fields):
                    fields(document)
                else:
                    document.update(fields)
                operations.append((PUT, self.name, number, document))
            if operations:
                self.journal.append(operations)
            return [operation[2] for operation in operations]

    def update_multiple(self, updates: Iterable[tuple[Fields, QueryLike]]) -> list[int]:
        """Changes documents by several conditions, one after the other; returns their ids."""
        with self.journal.locked():
            return [number for fields, cond in updates for number in self.update(fields, cond)]

    def upsert(self, document: Mapping[str, Any], cond: QueryLike | None = None) -> list[int]:
        """Changes the matching documents, or adds one; returns the ids.

        Raises:
            ValueError: There is neither a condition nor an id.
        """
        with self.journal.locked():
            if isinstance(document, Document):
                numbers = [document.doc_id] if str(document.doc_id) in self._rows() else []
            elif cond is None:
                raise ValueError("upsert needs a condition or a document with an id")
            else:
                numbers = self._chosen(cond, None)
            return self.update(document, doc_ids=numbers) if numbers else [self.insert(document)]

    def remove(self, cond: QueryLike | None = None, doc_ids: Iterable[int] | None = None) -> list[int]:
        """Deletes documents, all or none; returns their ids.

        Raises:
            RuntimeError: Neither a condition nor ids are given.
        """
        if cond is None and doc_ids is None:
            raise RuntimeError("Use truncate() to remove all documents")
        with self.journal.locked():
            numbers = [n for n in self._chosen(cond, doc_ids) if str(n) in self._rows()]
            if numbers:
                self.journal.append([(DELETE, self.name, number, None) for number in numbers])
            return numbers

    def truncate(self) -> None:
        """Deletes all documents."""
        with self.journal.locked():
            self.journal.append([(CLEAR, self.name, 0, None)])

    def _chosen(self, cond: QueryLike | None, doc_ids: Iterable[int] | None) -> list[int]:
        if doc_ids is not None:
            return list(doc_ids)
        return [int(number) for number, document in self._rows().items() if cond is None or cond(document)]

    # -- by key, in O(1) --------------------------------------------------------------------------

    def find(self, key: str) -> dict[str, Any] | None:
        """Returns a copy of the document with that key, or None."""
        with self.journal.guard:
            self.journal.refresh()
            number = self.journal.number_of(self.name, key)
            return None if number is None else copy.deepcopy(self._rows()[str(number)])

    def put(self, key: str, document: Mapping[str, Any]) -> None:
        """Writes the document with that key, replacing the one before."""
        with self.journal.locked():
            number = self.journal.number_of(self.name, key) or self.journal.next_number(self.name)
            self.journal.append([(PUT, self.name, number, dict(document))])

    def operations(self, documents: Mapping[str, Mapping[str, Any]]) -> list[Operation]:
        """Returns what writes documents by key, for a line that changes other tables too, under the lock."""
        following = self.journal.next_number(self.name)
        operations: list[Operation] = []
        for key, document in documents.items():
            number = self.journal.number_of(self.name, key)
            if number is None:
                number, following = following, following + 1
            operations.append((PUT, self.name, number, dict(document)))
        return operations

    def number(self, key: str) -> int:
        """Returns the id of the document with that key.

        Raises:
            KeyError: There is none.
        """
        number = self.journal.number_of(self.name, key)
        if number is None:
            raise KeyError(key)
        return number

    def rows(self) -> list[dict[str, Any]]:
        """Returns all documents in order of their ids; callers must not change them."""
        with self.journal.guard:
            self.journal.refresh()
            return [document for _, document in sorted(self._rows().items(), key=lambda row: int(row[0]))]

    def changed(self) -> list[dict[str, Any]] | None:
        """Returns the documents that changed since the last call; callers must not change them.

        Returns:
            None the first time, and after anything was deleted: then all are to be looked at.
        """
        with self.journal.guard:
            self.journal.refresh()
            numbers = self.journal.changed(self.name)
            return None if numbers is None else [self._rows()[number] for number in numbers]


class HistoryDB(TinyDB):
    """A TinyDB whose tables are safe to write from several processes, and through crashes."""

    table_class = JournalTable
    default_storage_class = cast("type[JSONStorage]", JournalStorage)  # TinyDB types it as its own default

    def journal_table(self, name: str) -> JournalTable:
        """Returns a table, typed as what it is."""
        return cast("JournalTable", self.table(name))
