"""The report on an OFD document: the steps of `docs/formats/ofd.md`, signature by signature."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hub.proof.faces.checks import verify_face
from hub.proof.faces.facts import ofd_facts
from hub.proof.ofd.checks import (
    FileVerdict,
    added_files,
    check_files,
    check_methods,
    check_scope,
    check_seal_file,
    check_sealed,
    check_stamps,
    digests_of,
    listed_files,
    misspelt,
)
from hub.proof.ofd.document import (
    Document,
    ListedSignature,
    Signature,
    open_package,
    read_document,
    read_signature,
)
from hub.proof.reasons import ProofError, ProofReason
from hub.proof.reports.report import Remark, StepName
from hub.proof.run import Evidence, Run
from hub.proof.ses.verify import verify_under_seal
from hub.proof.trust import Trust


def verify_ofd(run: Run, data: bytes, trust: Trust, evidence: Evidence) -> None:
    """An OFD document with every signature in it; see `hub.proof.run`."""
    document = run.step(StepName.PACKAGE, lambda: read_document(open_package(data)))
    if document is None or not run.check(StepName.SIGNED, lambda: check_sealed(document)):
        return
    digests = digests_of(document.package)
    # What carries a later signature may be missing in an earlier one, so all are read first.
    read = [_read(document, listed) for listed in document.signatures]
    for index, signature in enumerate(read):
        later = [item for item in read[index + 1 :] if isinstance(item, Signature)]
        with run.part(index + 1):
            checked = _verify_files(run, document, signature, later, digests)
            if checked is not None:
                _verify_value(run, document, checked, trust, evidence)
    verify_face(run, data, lambda: ofd_facts(document.package), trust, evidence)


def _read(document: Document, listed: ListedSignature) -> Signature | ProofError:
    try:
        return read_signature(document, listed)
    except ProofError as error:
        return error


def _verify_files(
    run: Run,
    document: Document,
    read: Signature | ProofError,
    later: Sequence[Signature],
    digests: Mapping[str, bytes],
) -> Signature | None:
    """Steps 4 to 6: the description of a signature, and each file of the package."""
    signature = run.step(StepName.SIGNATURE_FILE, lambda: _usable(document, read))
    if signature is None:
        return None
    if misspelt(signature):
        run.remark(Remark.NAMES_DIFFER)
    run.check(StepName.SIGNED_FILES, lambda: _note_files(run, listed_files(signature, digests)))
    run.check(
        StepName.UNSIGNED_FILES, lambda: _note_files(run, added_files(document, signature, later))
    )
    return signature


def _note_files(run: Run, verdicts: Sequence[FileVerdict]) -> None:
    for verdict in verdicts:
        run.file(verdict.path, verdict.error)
    check_files(verdicts)


def _verify_value(
    run: Run, document: Document, signature: Signature, trust: Trust, evidence: Evidence
) -> None:
    """Steps 7 to 10: the signature value, and the seal in it."""
    if signature.listed.bare:
        run.missing(ProofReason.OFD_BARE_SIGNATURE, StepName.SIGNATURE_VALUE)
        return
    value = document.package.files[signature.value_file]
    under = verify_under_seal(run, value, trust, evidence, content=signature.xml)
    if under is not None:
        run.check(
            StepName.SCOPE,
            lambda: check_scope(document, signature, under.protected, under.algorithm),
        )
        run.check(StepName.SEAL_COPY, lambda: check_seal_file(document, signature, under.seal.der))


def _usable(document: Document, read: Signature | ProofError) -> Signature:
    if isinstance(read, ProofError):
        raise read
    check_methods(read)
    check_stamps(document, read)
    return read
