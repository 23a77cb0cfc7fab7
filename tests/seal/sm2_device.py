"""A PKCS#11 module with SM2 under a vendor's own mechanism numbers, as far as the home looks at it.

SoftHSM2 has no SM2. Signs by the formulas of GB/T 32918.2 §6.1 with a curve of its own, so that
what is verified afterwards was not computed by the code under test.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pkcs11
from pkcs11 import Attribute, ObjectClass, TokenFlag

GENERATE = 0x80000101
SIGN_MESSAGE = 0x80000102
SIGN_DIGEST = 0x80000103

P = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF00000000FFFFFFFFFFFFFFFF
A = P - 3
B = 0x28E9FA9E9D9F5E344D5A9E4BCF6509A7F39789F515AB8F92DDBCBD414D940E93
N = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D54123
G = (
    0x32C4AE2C1F1981195F9904466A39C9948FE30BBFF2660BE1715A4589334C74C7,
    0xBC3736A2F4F6779C59BDCEE36B692153D0A9877CC62A474002DF32E52139F0A0,
)
Point = tuple[int, int] | None


def add(a: Point, b: Point) -> Point:
    if a is None or b is None:
        return a or b
    if a[0] == b[0]:
        if (a[1] + b[1]) % P == 0:
            return None
        slope = (3 * a[0] * a[0] + A) * pow(2 * a[1], -1, P) % P
    else:
        slope = (b[1] - a[1]) * pow(b[0] - a[0], -1, P) % P
    x = (slope * slope - a[0] - b[0]) % P
    return x, (slope * (a[0] - x) - a[1]) % P


def multiply(scalar: int, point: Point) -> tuple[int, int]:
    result: Point = None
    while scalar:
        if scalar & 1:
            result = add(result, point)
        point, scalar = add(point, point), scalar >> 1
    assert result is not None
    return result


def octets(number: int) -> bytes:
    return number.to_bytes(32)


def sm3(data: bytes) -> bytes:
    return hashlib.new("sm3", data).digest()


@dataclass
class Thing:
    """An object in the token."""

    attributes: dict[Attribute, Any]
    device: Device
    secret: int = 0

    def __getitem__(self, name: Attribute) -> Any:
        return self.attributes[name]

    def __setitem__(self, name: Attribute, value: Any) -> None:
        self.attributes[name] = value

    def destroy(self) -> None:
        self.device.things.remove(self)

    def sign(self, data: bytes, *, mechanism: int, mechanism_param: object = None) -> bytes:
        if mechanism == SIGN_MESSAGE:
            public = b"".join(map(octets, multiply(self.secret, G)))
            curve = b"".join(map(octets, (A, B, *G)))
            data = sm3(sm3(b"\x00\x80" + b"1234567812345678" + curve + public) + data)
        elif mechanism != SIGN_DIGEST:
            raise pkcs11.MechanismInvalid
        assert len(data) == 32
        while True:
            k = secrets.randbelow(N - 1) + 1
            r = (int.from_bytes(data) + multiply(k, G)[0]) % N
            s = pow(1 + self.secret, -1, N) * (k - r * self.secret) % N
            if r and r + k != N and s:
                return octets(r) + octets(s)


@dataclass
class Device:
    """Module, token and session in one; `fails` is raised by the next log-in."""

    flags: int = 0
    fails: list[Exception] = field(default_factory=list)
    things: list[Thing] = field(default_factory=list)
    logins: int = 0

    def __call__(self, _module: str) -> Any:
        return self

    def reinitialize(self) -> None:
        """Nothing to forget."""

    def get_token(self, **_named: object) -> _Token:
        return _Token(self, TokenFlag(self.flags))

    def open(self, **_asked: object) -> Device:
        self.logins += 1
        if self.fails:
            raise self.fails.pop()
        return self

    def close(self) -> None:
        """Nothing to give back."""

    def get_objects(self, asked: dict[Attribute, Any]) -> Iterator[Thing]:
        return iter([one for one in self.things if asked.items() <= one.attributes.items()])

    def create_domain_parameters(self, *_asked: object, **_named: object) -> Device:
        return self

    def generate_keypair(
        self, *, id: bytes, label: str, mechanism: int, **_named: object
    ) -> tuple[Thing, Thing]:
        if mechanism != GENERATE:
            raise pkcs11.MechanismInvalid
        secret = secrets.randbelow(N - 2) + 1
        point = b"\x04" + b"".join(map(octets, multiply(secret, G)))
        common = {Attribute.ID: id, Attribute.LABEL: label}
        public = Thing(
            common
            | {Attribute.CLASS: ObjectClass.PUBLIC_KEY, Attribute.EC_POINT: b"\x04\x41" + point},
            self,
        )
        private = Thing(common | {Attribute.CLASS: ObjectClass.PRIVATE_KEY}, self, secret)
        self.things += [public, private]
        return public, private


@dataclass
class _Token:
    """The device as a token."""

    device: Device
    flags: TokenFlag

    def open(self, **asked: object) -> Device:
        return self.device.open(**asked)
