"""The policy table covers every RPC, and people read the same table."""

from __future__ import annotations

import re

import pytest
from google.protobuf.descriptor import FileDescriptor
from grpc_health.v1 import health_pb2
from grpc_reflection.v1alpha import reflection_pb2

from hub.access.v1 import access_pb2
from hub.domain.caller import Role
from hub.exchange.v1 import (
    copies_pb2,
    exchange_pb2,
    plan_pb2,
    shared_documents_pb2,
    verification_pb2,
)
from hub.ledger.v1 import ledger_pb2
from hub.policy import OPEN, POLICY
from hub.registry.v1 import (
    documents_pb2,
    facts_pb2,
    feed_pb2,
    holders_pb2,
    items_pb2,
    objections_pb2,
    registry_pb2,
    states_pb2,
)
from hub.seal.v1 import faces_pb2, intents_pb2, remote_signer_pb2, reports_pb2, seal_pb2
from tests.conftest import ROOT

OURS = [
    module.DESCRIPTOR
    for module in (
        access_pb2,
        documents_pb2,
        copies_pb2,
        exchange_pb2,
        faces_pb2,
        facts_pb2,
        feed_pb2,
        holders_pb2,
        ledger_pb2,
        plan_pb2,
        items_pb2,
        objections_pb2,
        registry_pb2,
        intents_pb2,
        reports_pb2,
        seal_pb2,
        shared_documents_pb2,
        states_pb2,
        verification_pb2,
    )
]
OTHERS = [health_pb2.DESCRIPTOR, reflection_pb2.DESCRIPTOR]
COLUMNS = ("officer", "department", "platform", "connector", "auditor", "monitor", "converter")


def _rpcs(files: list[FileDescriptor]) -> set[str]:
    return {
        f"/{service.full_name}/{method.name}"
        for file in files
        for service in file.services_by_name.values()
        for method in service.methods
    }


def test_every_rpc_has_exactly_one_row() -> None:
    """No RPC without a rule, no rule without an RPC, and none in both tables."""
    assert _rpcs(OURS) == (POLICY.keys() | OPEN) & {
        path for path in POLICY.keys() | OPEN if path.startswith("/hub.")
    }
    assert not POLICY.keys() & OPEN


def test_every_service_of_the_api_is_known_here() -> None:
    """A new proto file cannot be forgotten by the test above."""
    declared = {
        f"hub.{path.parent.parent.name}.v1.{name}"
        for path in (ROOT / "proto").glob("hub/*/v1/*.proto")
        for name in re.findall(r"^service (\w+)", path.read_text(encoding="utf-8"), re.MULTILINE)
    }

    # Departments serve it, and the hub calls it.
    theirs = {remote_signer_pb2.DESCRIPTOR.services_by_name["RemoteSignerService"].full_name}
    assert declared - theirs == {
        service.full_name for file in OURS for service in file.services_by_name.values()
    }


def test_only_token_health_and_reflection_need_no_token() -> None:
    """Whatever else is called, the caller is known."""
    assert {path for path in OPEN if path.startswith("/hub.")} == {
        "/hub.access.v1.AccessService/CreateToken"
    }
    assert _rpcs(OTHERS) - OPEN <= {"/grpc.health.v1.Health/List"}


def test_nobody_is_allowed_by_an_empty_row() -> None:
    """Each RPC can be called by somebody, and only by roles that exist."""
    for path, roles in POLICY.items():
        assert roles, path
        assert roles <= frozenset(Role), path


@pytest.mark.parametrize(
    ("role", "allowed"),
    [
        (Role.MONITOR, {"GetCheckpoint", "GetConsistencyProof"}),
        (Role.CONVERTER, {"GetCheckpoint", "GetConsistencyProof"}),
        (
            Role.CONNECTOR,
            {
                "IngestBatches",
                "ConfirmCertificate",
                "GetCertificateType",
                "ListCertificateTypes",
                "GetCheckpoint",
                "GetInclusionProof",
                "GetConsistencyProof",
            },
        ),
    ],
)
def test_narrow_roles_stay_narrow(role: Role, allowed: set[str]) -> None:
    """A stolen connector or monitor reads no certificate and changes no rule."""
    assert {path.split("/")[2] for path, roles in POLICY.items() if role in roles} == allowed


def test_only_a_platform_fetches_and_only_a_connector_ingests() -> None:
    """What moves personal data has one role each."""
    assert POLICY["/hub.exchange.v1.ExchangeService/FetchCertificates"] == {Role.PLATFORM}
    assert POLICY["/hub.registry.v1.RegistryService/IngestBatches"] == {Role.CONNECTOR}


def test_an_auditor_reads_everything_and_changes_nothing() -> None:
    """Every Get, List, Search, Watch, Download and Export, and verifying a file; no other call."""
    reads = r"(Get|List|Search|Watch|Download|Export|VerifyDocument)"
    reading = {path for path in POLICY if re.match(reads, path.split("/")[2])}

    assert {path for path, roles in POLICY.items() if Role.AUDITOR in roles} == reading


def test_the_documented_table_is_the_policy() -> None:
    """docs/access.md says of each call and role what the code does."""
    documented = {}
    for line in (ROOT / "docs" / "access.md").read_text(encoding="utf-8").splitlines():
        row = re.match(r"\| `(\w+)\.(\w+)` \|(.*)\|$", line)
        if row:
            marks = [cell.strip() for cell in row[3].split("|")]
            assert len(marks) == len(COLUMNS), line
            assert set(marks) <= {"", "yes"}, line
            documented[f"{row[1]}.{row[2]}"] = {
                column for column, mark in zip(COLUMNS, marks, strict=True) if mark
            }

    assert documented == {
        path.split(".")[-1].replace("/", "."): {role.value for role in roles}
        for path, roles in POLICY.items()
    }
