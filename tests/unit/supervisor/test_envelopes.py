from __future__ import annotations

import contextlib
import gzip
import json
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfheal_tui.supervisor.bodies import BodyRefusedError, decompress
from selfheal_tui.supervisor.envelopes import MAX_ITEMS, EnvelopeError, parse_envelope


def written(items: list[tuple[str, bytes, bool]]) -> bytes:
    out = [b'{"event_id":"a"}']
    for kind, payload, with_length in items:
        header = {"type": kind, "length": len(payload)} if with_length else {"type": kind}
        out += [json.dumps(header).encode(), payload]
    return b"\n".join(out)


@given(st.binary(max_size=300))
def test_whatever_is_sent_nothing_but_an_envelope_error_comes_out(data: bytes) -> None:
    with contextlib.suppress(EnvelopeError):
        parse_envelope(data)


@given(
    st.binary(max_size=60).map(lambda tail: b'{"event_id":"a"}\n{"type":"event","length":5}\n{"a":' + tail)
)
def test_lengths_that_lie_are_refused_or_kept_to(data: bytes) -> None:
    try:
        found = parse_envelope(data)
    except EnvelopeError:
        return
    assert found.items[0].payload == b'{"a":'


@given(st.lists(st.tuples(st.sampled_from(["event", "session"]), st.binary(max_size=50)), max_size=8))
def test_items_with_a_length_come_back_whatever_bytes_they_hold(items: list[tuple[str, bytes]]) -> None:
    found = parse_envelope(written([(kind, payload, True) for kind, payload in items]))

    assert [(item.type, item.payload) for item in found.items] == items


def test_an_item_without_a_length_ends_with_its_line() -> None:
    found = parse_envelope(written([("event", b'{"x":1}', False), ("session", b"{}", False)]) + b"\n")

    assert [item.payload for item in found.items] == [b'{"x":1}', b"{}"]


@pytest.mark.parametrize("length", [-1, 10**30, "5", 1.5, True, [1], 1000])
def test_a_wrong_length_is_refused(length: object) -> None:
    header = json.dumps({"type": "event", "length": length}).encode()

    with pytest.raises(EnvelopeError):
        parse_envelope(b"{}\n" + header + b"\n{}")


def test_deep_nesting_and_floods_of_items_are_refused() -> None:
    with pytest.raises(EnvelopeError):
        parse_envelope(b"[" * 100_000 + b"\n")
    with pytest.raises(EnvelopeError, match="more than"):
        parse_envelope(b"{}\n" + b'{"type":"x","length":0}\n\n' * (MAX_ITEMS + 1))


@given(st.binary(max_size=2000), st.sampled_from(["gzip", "deflate", ""]))
def test_a_body_comes_out_as_it_went_in(data: bytes, encoding: str) -> None:
    packed = {"gzip": gzip.compress, "deflate": zlib.compress, "": bytes}[encoding](data)

    assert decompress(packed, encoding, 2000) == data


def test_raw_deflate_is_understood_too() -> None:
    machine = zlib.compressobj(wbits=-15)
    assert decompress(machine.compress(b"abc") + machine.flush(), "deflate", 10) == b"abc"


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
def test_a_zip_bomb_is_refused_before_it_is_unpacked(encoding: str) -> None:
    bomb = {"gzip": gzip.compress, "deflate": zlib.compress}[encoding](bytes(50_000_000))

    with pytest.raises(BodyRefusedError) as caught:
        decompress(bomb, encoding, 100_000)

    assert caught.value.status == 413


def test_a_bomb_in_a_second_gzip_member_is_refused() -> None:
    with pytest.raises(BodyRefusedError) as caught:
        decompress(gzip.compress(b"small") + gzip.compress(bytes(10**7)), "gzip", 1000)

    assert caught.value.status == 400


@given(st.binary(max_size=200), st.sampled_from(["gzip", "deflate", "br", "zstd"]))
def test_damaged_bodies_are_refused_with_a_status(data: bytes, encoding: str) -> None:
    status = 400
    try:
        decompress(data, encoding, 1000)
    except BodyRefusedError as error:
        status = error.status

    assert status in (400, 413, 415)


def test_brotli_is_refused_as_unsupported() -> None:
    with pytest.raises(BodyRefusedError) as caught:
        decompress(b"x", "br", 100)

    assert caught.value.status == 415
