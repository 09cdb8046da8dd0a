"""Bytes to text and back: nothing is lost, and what would be is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfheal_tui.source import text as source_text
from selfheal_tui.source.display import visible
from selfheal_tui.source.text import UnreadableSourceError, decode_source, read_source, split_lines


@pytest.mark.parametrize(
    ("data", "encoding", "text"),
    [
        (b"x = 1\n", "utf-8", "x = 1\n"),
        (b"\xef\xbb\xbfx = 1\r\n", "utf-8-sig", "x = 1\r\n"),
        ("# coding: latin-1\né = 1\n".encode("latin-1"), "iso-8859-1", "# coding: latin-1\né = 1\n"),
        (
            "#!x\r# -*- coding: cp1252 -*-\r€ = 1\r".encode("cp1252"),
            "cp1252",
            "#!x\r# -*- coding: cp1252 -*-\r€ = 1\r",
        ),
        (b"", "utf-8", ""),
    ],
)
def test_the_encoding_that_the_file_names_is_used_and_kept(data, encoding, text):
    source = decode_source(data, "a.py")
    assert (source.encoding, source.text) == (encoding, text)
    assert source.encode(source.text) == data


@pytest.mark.parametrize(
    ("data", "remedy"),
    [
        (b"\xff\xfe", "save it as UTF-8"),
        (b"# coding: nonsense\n", "coding comment"),
        (b"# coding: rot13\nx\n", "coding comment"),
        (b"\xef\xbb\xbf# coding: latin-1\n", "coding comment"),
        (b"x = '\0'\n", "NUL"),
        (b"# coding: utf-7\nx = '+AGE-'\n", "save it as UTF-8"),
    ],
)
def test_what_cannot_be_decoded_is_refused_with_the_remedy(data, remedy):
    with pytest.raises(UnreadableSourceError, match=remedy):
        decode_source(data, "a.py")


def test_large_and_missing_files_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(source_text, "MAX_SOURCE_BYTES", 10)
    (tmp_path / "big.py").write_bytes(b"x" * 11)
    with pytest.raises(UnreadableSourceError, match="split the file"):
        read_source(tmp_path / "big.py")
    with pytest.raises(UnreadableSourceError, match="split the file"):
        decode_source(b"x" * 11)
    with pytest.raises(UnreadableSourceError, match="moved or deleted"):
        read_source(tmp_path / "none.py")
    with pytest.raises(UnreadableSourceError, match="not a file"):
        read_source(tmp_path)


@pytest.mark.parametrize(
    ("text", "newline"), [("a\nb\r\nc\r\n", "\r\n"), ("a\rb\r", "\r"), ("a", "\n"), ("a\nb\nc\r\n", "\n")]
)
def test_the_dominant_newline_is_told(text, newline):
    assert decode_source(text.encode()).newline == newline


@given(st.text(alphabet="ab\n\r\x0b\x0c\x1c\x85\u2028"))
def test_lines_split_where_the_tokenizer_splits_and_join_to_the_text(text):
    lines = split_lines(text)
    assert "".join(lines) == text
    assert len(lines) == len(text.replace("\r\n", "\n").replace("\r", "\n").split("\n")) - (
        not text or text.endswith(("\n", "\r"))
    )


@given(st.binary(max_size=60))
def test_any_bytes_come_back_or_are_refused(data):
    try:
        source = decode_source(data)
    except UnreadableSourceError:
        return
    assert source.encode(source.text) == data


def test_what_could_deceive_a_reader_is_made_visible():
    assert visible("a\x1b[31m\u202eb\u200bc\x7f\x85\r\n\td") == "a␛[31m⟨U+202E⟩b⟨U+200B⟩c␡⟨U+0085⟩\n\td"


@given(st.text())
def test_visible_text_has_nothing_left_to_make_visible_and_letters_stay(text):
    shown = visible(text)
    assert visible(shown) == shown
    assert not any(c in shown for c in "\x1b\r\u202e\u2066\u200b\ufeff")
    assert [c for c in text if c.isalnum() and c.isascii()] == [
        c for c in visible(text) if c.isalnum() and c.isascii()
    ] or "⟨U+" in shown
