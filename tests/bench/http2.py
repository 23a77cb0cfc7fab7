"""Just enough HTTP/2 to load a gRPC server with unary calls, at a tenth of a gRPC client's cost.

A gRPC client in Python costs as much as the server it measures, so it would hide what the server
costs. This one sends the frames a gRPC client sends (headers through the dynamic table, RFC 7541)
and takes answers apart only as far as to find the message. Not a general client: no Huffman codes,
no padding, bodies below one stream window.
"""

from __future__ import annotations

import asyncio
import struct
from collections import deque
from collections.abc import Callable, Sequence
from typing import Final, cast

_PREFACE: Final = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
_DATA, _HEADERS, _RST, _SETTINGS, _PING, _GOAWAY, _WINDOW, _CONTINUATION = 0, 1, 3, 4, 6, 7, 8, 9
_END_STREAM, _ACK, _END_HEADERS = 1, 1, 4
_INITIAL_WINDOW: Final = 4
_RECEIVE_WINDOW: Final = 1 << 30
_BODY_MAX: Final = 65_000
_FRAME_MAX: Final = 16_384
_FIRST_DYNAMIC: Final = 62
_PREFIX: Final = 5

OnAnswer = Callable[[int, bytes, str], None]
"""Called with the request's number, the message (empty on failure) and what went wrong."""


def header_blocks(headers: Sequence[tuple[str, str]]) -> tuple[bytes, bytes]:
    """The block that enters `headers` into the dynamic table, and the block that refers to them."""
    first = bytearray(b"\x83\x87")  # :method POST, :scheme https
    later = bytearray(b"\x83\x87")
    for number, (name, value) in enumerate(headers):
        first += b"\x40" + _literal(name) + _literal(value)
        later.append(0x80 | (_FIRST_DYNAMIC + len(headers) - 1 - number))
    return bytes(first), bytes(later)


def _literal(text: str) -> bytes:
    data = text.encode()
    size = len(data)
    if size < 127:
        return bytes((size,)) + data
    out = bytearray((127,))
    size -= 127
    while size >= 128:
        out.append(size % 128 | 128)
        size //= 128
    out.append(size)
    return bytes(out) + data


def _frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    return struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, stream) + payload


class Connection(asyncio.Protocol):
    """One connection. `send` any time after `ready`; answers come through `on_answer`."""

    def __init__(self, blocks: tuple[bytes, bytes], on_answer: OnAnswer) -> None:
        self._blocks = blocks
        self._on_answer = on_answer
        self._sent_first = False
        self._stream = 1
        self._window = 65_535
        self._waiting: deque[tuple[int, bytes]] = deque()
        self._numbers: dict[int, int] = {}
        self._parts: dict[int, list[bytes]] = {}
        self._buffer = b""
        self._out: list[bytes] | None = None
        self._consumed = 0
        self._transport: asyncio.Transport | None = None
        self.ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.closed = ""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's own transports are no subclass of asyncio's.
        self._transport = cast(asyncio.Transport, transport)
        self._transport.write(
            _PREFACE
            + _frame(_SETTINGS, 0, 0, struct.pack(">HI", _INITIAL_WINDOW, _RECEIVE_WINDOW))
            + _frame(_WINDOW, 0, 0, struct.pack(">I", _RECEIVE_WINDOW))
        )

    def connection_lost(self, exc: Exception | None) -> None:
        self.closed = self.closed or f"connection lost: {exc or 'closed by the server'}"
        if not self.ready.done():
            self.ready.set_exception(ConnectionError(self.closed))
        for number in list(self._numbers.values()):
            self._on_answer(number, b"", self.closed)
        self._numbers.clear()

    def close(self) -> None:
        """Give the connection up."""
        if self._transport is not None:
            self._transport.close()

    def send(self, number: int, body: bytes) -> None:
        """Send one call with the framed message `body`."""
        assert len(body) <= _BODY_MAX
        if self.closed:
            self._on_answer(number, b"", self.closed)
        elif len(body) > self._window:
            self._waiting.append((number, body))
        else:
            self._write(self._call(number, body))

    def _call(self, number: int, body: bytes) -> bytes:
        stream = self._stream
        self._stream += 2
        self._window -= len(body)
        self._numbers[stream] = number
        block = self._blocks[1] if self._sent_first else self._blocks[0]
        self._sent_first = True
        call = _frame(_HEADERS, _END_HEADERS, stream, block)
        for start in range(0, len(body), _FRAME_MAX):
            part = body[start : start + _FRAME_MAX]
            flags = _END_STREAM if start + _FRAME_MAX >= len(body) else 0
            call += _frame(_DATA, flags, stream, part)
        return call

    def _write(self, data: bytes) -> None:
        if self._out is not None:
            self._out.append(data)
        else:
            assert self._transport is not None
            self._transport.write(data)

    def data_received(self, data: bytes) -> None:
        # What the answers of one read set free is written at once.
        self._out = []
        buffer = self._buffer + data if self._buffer else data
        position, end = 0, len(buffer)
        while end - position >= 9:
            size = int.from_bytes(buffer[position : position + 3])
            if end - position < 9 + size:
                break
            kind, flags = buffer[position + 3], buffer[position + 4]
            stream = int.from_bytes(buffer[position + 5 : position + 9])
            payload = buffer[position + 9 : position + 9 + size]
            position += 9 + size
            self._take(kind, flags, stream, payload)
        self._buffer = buffer[position:]
        if self._consumed > _RECEIVE_WINDOW // 2:
            self._out.append(_frame(_WINDOW, 0, 0, struct.pack(">I", self._consumed)))
            self._consumed = 0
        out, self._out = self._out, None
        if out and self._transport is not None:
            self._transport.write(b"".join(out))

    def _take(self, kind: int, flags: int, stream: int, payload: bytes) -> None:
        if kind == _DATA:
            self._consumed += len(payload)
            self._parts.setdefault(stream, []).append(payload)
            if flags & _END_STREAM:
                self._answer(stream, "")
        elif kind in (_HEADERS, _CONTINUATION):
            if flags & _END_STREAM and kind == _HEADERS:
                self._answer(stream, _printable(payload))
        elif kind == _RST:
            self._answer(stream, f"stream reset, code {int.from_bytes(payload)}")
        elif kind == _SETTINGS and not flags & _ACK:
            self._write(_frame(_SETTINGS, _ACK, 0, b""))
            if not self.ready.done():
                self.ready.set_result(None)
        elif kind == _PING and not flags & _ACK:
            self._write(_frame(_PING, _ACK, 0, payload))
        elif kind == _WINDOW and stream == 0:
            self._window += int.from_bytes(payload)
            while self._waiting and len(self._waiting[0][1]) <= self._window:
                self._write(self._call(*self._waiting.popleft()))
        elif kind == _GOAWAY:
            self.closed = f"the server said goodbye: {_printable(payload[8:])}"

    def _answer(self, stream: int, trailers: str) -> None:
        number = self._numbers.pop(stream, None)
        parts = self._parts.pop(stream, None)
        if number is None:
            return
        data = b"".join(parts) if parts else b""
        complete = len(data) >= _PREFIX and len(data) == _PREFIX + int.from_bytes(data[1:_PREFIX])
        # A refused unary call has trailers and no message.
        if complete:
            self._on_answer(number, data[_PREFIX:], "")
        else:
            self._on_answer(number, b"", trailers or "no message")


def _printable(data: bytes) -> str:
    return "".join(chr(byte) if 32 <= byte < 127 else " " for byte in data)[:400].strip()
