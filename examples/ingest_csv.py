"""A department's nightly job: one file through its connector, from Python.

Run with `python -m examples.ingest_csv client.toml MANIFEST FILE CREDIT_CODE`: the connector's
profile, the mapping, the export, the department. Whatever interrupts it, the same call resumes:
what is not yet receipted waits in the outbox beside the profile.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from connectors.client import HubClient
from connectors.manifest import load_manifest
from connectors.outbox import open_outbox
from connectors.profile import load_profile
from connectors.run import ConnectorRun, Identity, RunReport
from connectors.sources.delimited import open_delimited
from connectors.submit import GrpcSubmitter
from hub.proof.trust import parse_trust


def ingest(profile_file: Path, manifest: Path, file: Path, credit_code: str) -> RunReport:
    """Every row of `file` accepted by the hub or accounted for. Raises HubError."""
    profile, loaded = load_profile(profile_file), load_manifest(manifest)
    identity = Identity(
        system=profile.name,
        authority=credit_code,
        origin=profile.origin,
        region=profile.region,
        signer=profile.signer(),
        trust=parse_trust(profile.trust.read_bytes()).log,
    )
    folder, name = profile.folder / "outbox", loaded.manifest.connector.id
    with HubClient(profile) as client, open_outbox(folder, name, identity.chain) as outbox:
        run = ConnectorRun(
            loaded=loaded,
            identity=identity,
            outbox=outbox,
            submitter=GrpcSubmitter(client),
            now_us=lambda: time.time_ns() // 1000,
            watch=lambda done, size: print(f"{done} of {size} bytes"),
        )
        return run(open_delimited(file, loaded.format))


def main(profile: str, manifest: str, file: str, credit_code: str) -> None:
    """Run once; say what became of the rows."""
    report = ingest(Path(profile), Path(manifest), Path(file), credit_code)
    for name in ("read", "accepted", "unchanged", "quarantined", "refused", "skipped"):
        print(f"{name}: {report.members()[name]}")


if __name__ == "__main__":
    main(*sys.argv[1:5])
