"""What must hold of a signature in an OFD document beside its signature value (GB/T 33190 §18).

The chain of protection: each file → its digest in `Signature.xml` → SM3 of that file = `dataHash`
of the signature value. Whatever is in the package and not in the chain was put there by somebody
else. Each check raises ProofError with its reason; those of the seal itself stand in
`hub.proof.ses.checks`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from hub.proof.ofd.document import Document, Package, Signature
from hub.proof.reasons import ProofError, ProofReason, Verdict
from hub.proof.sm2 import SM2_WITH_SM3, SM3_OID, sm3

SM3_NAMES: Final = frozenset({SM3_OID, "SM3"})
"""How a `CheckMethod` spells SM3 (GB/T 33560, and what software writes)."""
BROKEN_METHODS: Final = frozenset({"", "MD5", "SHA1", "SHA-1"})
"""Collisions are made at will; without a word the standard means MD5 (GB/T 33190 §18.2.3)."""
_BOX: Final = re.compile(r"-?\d+(?:\.\d+)?(?: +-?\d+(?:\.\d+)?){3}")


@dataclass(frozen=True, slots=True)
class FileVerdict:
    """Of one file of the package: as it was sealed (`error` is None), or why not."""

    path: str
    error: ProofError | None = None


def check_sealed(document: Document) -> None:
    """There is a signature at all. Raises ProofError(OFD_NOT_SEALED) as *cannot check*."""
    if not document.signatures:
        raise ProofError(ProofReason.OFD_NOT_SEALED, verdict=Verdict.CANNOT_CHECK)


def check_methods(signature: Signature) -> None:
    """Files are digested with SM3, and the signature is SM2 with SM3.

    Raises ProofError(OFD_DIGEST_BROKEN); (OFD_METHOD_UNKNOWN) as *cannot check*.
    """
    method = signature.digest_method.strip().upper()
    if method in BROKEN_METHODS:
        raise ProofError(ProofReason.OFD_DIGEST_BROKEN, method or "MD5")
    unknown = None if method in SM3_NAMES else method
    if signature.method not in (None, SM2_WITH_SM3):
        unknown = signature.method
    if unknown is not None:
        raise ProofError(ProofReason.OFD_METHOD_UNKNOWN, unknown, verdict=Verdict.CANNOT_CHECK)


def digests_of(package: Package) -> dict[str, bytes]:
    """The SM3 digest of every file, taken once however many signatures protect it."""
    return {name: sm3(data) for name, data in package.files.items()}


def listed_files(signature: Signature, digests: Mapping[str, bytes]) -> tuple[FileVerdict, ...]:
    """Each file that `signature` protects: there, once, and with its digest."""
    verdicts: list[FileVerdict] = []
    seen: set[str] = set()
    for reference in signature.references:
        file = reference.file
        if file is None:
            reason, file = ProofReason.OFD_FILE_MISSING, reference.location
        elif file in seen:
            reason = ProofReason.OFD_FILE_LISTED_TWICE
        elif digests[file] != reference.digest:
            reason = ProofReason.OFD_FILE_CHANGED
        else:
            reason = None
        seen.add(file)
        verdicts.append(FileVerdict(file, None if reason is None else ProofError(reason, file)))
    return tuple(verdicts)


def added_files(
    document: Document, signature: Signature, later: Sequence[Signature] = ()
) -> tuple[FileVerdict, ...]:
    """Each file of the package that `signature` should protect and does not.

    Free are what carries the signature itself and, unless the list of signatures is protected too,
    that list and what carries the signatures `later` in it.
    """
    listed = {reference.file for reference in signature.references}
    free = frozenset(_may_be_unlisted(document, signature, later))
    return tuple(
        FileVerdict(file, ProofError(ProofReason.OFD_FILE_UNLISTED, file))
        for file in document.package.files
        if file not in listed and file not in free
    )


def check_files(verdicts: Sequence[FileVerdict]) -> None:
    """Raise the first error among `verdicts`."""
    for verdict in verdicts:
        if verdict.error is not None:
            raise verdict.error


def protects_list(document: Document, signature: Signature) -> bool:
    """Whether `signature` protects the list of signatures, so that none may be added."""
    return any(item.file == document.signatures_file for item in signature.references)


def misspelt(signature: Signature) -> tuple[str, ...]:
    """Files whose reference differs in the case of a letter; viewers may not find them."""
    return tuple(
        item.file
        for item in signature.references
        if item.file is not None and item.location.strip().removeprefix("/") != item.file
    )


def check_seal_file(document: Document, signature: Signature, seal_der: bytes) -> None:
    """`Seal.esl`, where there is one, is the seal inside of the signature value, byte for byte.

    Raises ProofError(OFD_SEAL_DIFFERS).
    """
    if signature.seal_file is None:
        return
    if document.package.files[signature.seal_file] != seal_der:
        raise ProofError(ProofReason.OFD_SEAL_DIFFERS, signature.seal_file)


def check_scope(document: Document, signature: Signature, scope: str, algorithm: str) -> None:
    """The signature value was made for this very `Signature.xml`, and by the method named there.

    `scope` is its `propertyInfo`, by custom the path of that file; the standard asks only that it
    states what is protected. Raises ProofError(OFD_SCOPE_DIFFERS), (OFD_METHOD_DIFFERS);
    (OFD_SCOPE_UNKNOWN) as *cannot check* where it is no path.
    """
    if signature.method not in (None, algorithm):
        raise ProofError(ProofReason.OFD_METHOD_DIFFERS, algorithm)
    path = scope.strip()
    if not path.casefold().endswith(".xml"):
        raise ProofError(ProofReason.OFD_SCOPE_UNKNOWN, scope, verdict=Verdict.CANNOT_CHECK)
    if document.package.find(path, signature.listed.file) != signature.listed.file:
        raise ProofError(ProofReason.OFD_SCOPE_DIFFERS, scope)


def check_stamps(document: Document, signature: Signature) -> None:
    """Where the seal is shown: on pages that exist, in boxes, each stamp with an id of its own.

    Raises ProofError(OFD_STAMP).
    """
    if len({stamp.id for stamp in signature.stamps}) != len(signature.stamps):
        raise ProofError(ProofReason.OFD_STAMP, "one ID for several")
    for stamp in signature.stamps:
        if stamp.page not in document.pages:
            raise ProofError(ProofReason.OFD_STAMP, f"no page {stamp.page}")
        if not _BOX.fullmatch(stamp.box.strip()):
            raise ProofError(ProofReason.OFD_STAMP, f"box {stamp.box!r}")


def _may_be_unlisted(
    document: Document, signature: Signature, later: Sequence[Signature]
) -> Iterator[str]:
    yield from _own_files(signature)
    if document.signatures_file is not None and not protects_list(document, signature):
        yield document.signatures_file
        for other in later:
            yield from _own_files(other)


def _own_files(signature: Signature) -> Iterator[str]:
    """What carries a signature. It cannot digest its value; `Seal.esl` is compared as a whole."""
    yield signature.listed.file
    yield signature.value_file
    if signature.seal_file is not None:
        yield signature.seal_file
