"""Who may import whom: the seams of the house, read from the import statements."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
COMPONENTS = ("access", "exchange", "ledger", "registry", "seal")

# What each layer may import of ours. A component's own package is always allowed.
_PURE = ("hub.errors", "hub.domain")
_PROOF = (*_PURE, "hub.proof")
_COMPONENT = (*_PROOF, "hub.storage", "hub.clock", "hub.wire", "hub.v1")
ALLOWED = {
    "hub/errors.py": (),
    "hub/clock.py": _PURE,
    "hub/domain": _PURE,
    "hub/proof": _PROOF,
    "hub/storage": (*_PROOF, "hub.clock"),
    "hub/wire.py": (*_PROOF, "hub.storage", "hub.v1"),
    **{f"hub/{name}": _COMPONENT for name in COMPONENTS},
    "hub/policy.py": _PURE,
    "hub/metrics.py": _PURE,
    "hub/config.py": _PURE,
    "hub/rpc.py": (*_COMPONENT, "hub.policy", "hub.metrics"),
    "hub/web": (*_COMPONENT, "hub.metrics"),
    # The generated clients of every component are anybody's to call. Files that must be whole are
    # written in one way.
    "connectors": (
        *_PROOF,
        "hub.v1",
        "certs.files",
        *(f"hub.{name}.v1" for name in COMPONENTS),
    ),
    # The signer process of the hub behind another door (docs/adr/0047): the very same checks,
    # journal and homes, which need no server library.
    "connectors/signer.py": (
        *_PROOF,
        "hub.clock",
        "hub.seal.algorithms",
        "hub.seal.homes.files",
        "hub.seal.homes.pkcs11",
        "hub.seal.keys",
        "hub.seal.signer_process.desk",
        "hub.seal.signer_process.journal",
        "hub.seal.signer_process.process",
        "hub.seal.signer_process.rules",
        "hub.seal.v1",
        "connectors",
    ),
    "certs": ("hub.errors", "hub.proof"),
}

# Libraries that only some places may touch, by the first part of the module's name.
LIBRARIES = {
    "grpc": (
        "hub/rpc.py",
        "hub/serving.py",
        "hub/*/*service.py",
        "connectors/",
        "hub/cli/",
        "hub/seal/homes/remote.py",
    ),
    "sqlalchemy": (
        "hub/*/*store.py",
        "hub/storage/",
        "hub/ledger/",
        "hub/migrations/",
        "connectors/outbox.py",
        # Hands the schema to the audit.
        "hub/upkeep.py",
    ),
    "sqlite3": (
        "hub/storage/",
        "hub/ledger/audit.py",
        "connectors/outbox.py",
        # Of its own, outside every database of the hub.
        "hub/seal/signer_process/journal.py",
    ),
    "minio": ("hub/storage/",),
    "pkcs11": ("hub/seal/homes/pkcs11.py",),
    "asyncpg": ("hub/storage/",),
    "starlette": ("hub/web/", "connectors/facade/"),
}


def _sources() -> Iterator[Path]:
    for folder in ("hub", "connectors", "certs"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            if "v1" not in path.parts:
                yield path


def _imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def _layer(name: str) -> str | None:
    for layer in sorted(ALLOWED, key=len, reverse=True):
        if name == layer or name.startswith(f"{layer}/"):
            return layer
    return None


@pytest.mark.parametrize("path", list(_sources()), ids=_relative)
def test_a_file_imports_only_what_its_layer_may(path: Path) -> None:
    """No component knows a peer, nothing pure knows what is above it."""
    name = _relative(path)
    layer = _layer(name)
    if layer is None:
        return
    own = layer.removesuffix(".py").replace("/", ".")
    allowed = (*ALLOWED[layer], own)

    wrong = [
        module
        for module in _imports(path)
        if module.split(".")[0] in ("hub", "connectors", "certs")
        and not any(module == one or module.startswith(f"{one}.") for one in allowed)
    ]

    assert not wrong, f"{name} may not import {wrong}"


@pytest.mark.parametrize("path", list(_sources()), ids=_relative)
def test_a_library_is_touched_only_at_its_seam(path: Path) -> None:
    """gRPC at the edge, SQL in stores, drivers in storage."""
    name = _relative(path)

    wrong = [
        module
        for module in _imports(path)
        for places in (LIBRARIES.get(module.split(".")[0]),)
        if places is not None and not any(_is_at(path, place) for place in places)
    ]

    assert not wrong, f"{name} may not import {wrong}"


def _is_at(path: Path, place: str) -> bool:
    name = _relative(path)
    return name.startswith(place) if place.endswith("/") else Path(name).match(place)


def test_packages_of_the_hub_hold_a_docstring_only() -> None:
    """So importing a generated client drags in nothing of the server."""
    for path in (ROOT / "hub" / "__init__.py", *(ROOT / "hub").rglob("*/__init__.py")):
        if path.parent.name == "v1":
            continue
        body = ast.parse(path.read_text(encoding="utf-8")).body

        assert len(body) == 1, f"{_relative(path)} holds more than a docstring"
        assert isinstance(body[0], ast.Expr), f"{_relative(path)} has no docstring"


def test_a_generated_client_needs_no_server_library() -> None:
    """A department's own program imports the client without SQLAlchemy, starlette or asyncpg."""
    script = (
        "import sys, hub.exchange.v1.exchange_pb2_grpc, hub.registry.v1.registry_pb2_grpc;"
        "print([m for m in ('sqlalchemy','starlette','asyncpg','typer') if m in sys.modules])"
    )

    printed = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout

    assert printed.strip() == "[]"


def test_a_departments_signer_needs_no_server_library() -> None:
    """It brings the hub's checks to the department's machine, not the hub."""
    script = (
        "import sys, connectors.signer;"
        "print([m for m in ('sqlalchemy','starlette','asyncpg','typer','pkcs11')"
        " if m in sys.modules])"
    )

    printed = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout

    assert printed.strip() == "[]"


def test_the_auditors_kit_needs_no_server_library() -> None:
    """`hub.proof` runs on the standard library, cryptography and pyjwt alone."""
    script = (
        "import pkgutil, importlib, sys, hub.proof as kit;"
        "names = [m.name for m in pkgutil.walk_packages(kit.__path__, 'hub.proof.')];"
        "assert len(names) > 80;"
        "[importlib.import_module(name) for name in names];"
        "foreign = ('grpc', 'google.protobuf', 'sqlalchemy', 'orjson', 'rich');"
        "print([m for m in foreign if m in sys.modules])"
    )

    printed = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout

    assert printed.strip() == "[]"
