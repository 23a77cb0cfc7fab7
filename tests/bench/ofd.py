"""OFD seals per CPU second, against raw SM2 signatures of the same key a moment before and after.

A seal is all that `OfdSealer.apply` does (time, reading, digests, signature, verification of it)
and the archive. Sealing a document and verifying it are measured on a face of usual size: a font's
subset, two pictures, a page.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import Final

from hub.proof.ofd.document import open_package
from hub.proof.ofd.verify import verify_ofd
from hub.proof.reports.report import Kind
from hub.proof.run import Evidence, Run
from hub.proof.ses.seal import Picture
from hub.proof.trust import Trust
from hub.seal.documents.ofd_package import OfdPackage
from tests.bench.figures import control_ratios, neighbour_ratios, spread, why_invalid
from tests.bench.machine import Steal
from tests.bench.session import Effort, Result
from tests.ofd_sealing import PLACE, TIME, Office
from tests.proof import ofd_samples

FONT_BYTES: Final = 60_000
PICTURE_BYTES: Final = 20_000
# A raw signature is over the TBS_Sign of the seal that is used.
_RAW: Final = "raw SM2 signatures"


def ofd(effort: Effort) -> Result:
    """Seals of a small document and of a face, verifications of the face, and raw signatures."""
    result = Result("ofd")
    office = Office.open(picture=Picture("PNG", os.urandom(PICTURE_BYTES), 40, 40))
    sealer, sign = office.sealer(), office.signer.key.sign
    small = ofd_samples.package()
    face = OfdPackage(
        small.files
        | {
            "Doc_0/Res/font.otf": os.urandom(FONT_BYTES),
            "Doc_0/Res/image_10.png": os.urandom(PICTURE_BYTES),
        }
    )
    sealed = sealer.apply(face, [PLACE], TIME).to_bytes()
    tbs = office.key.signed[-1]
    programs: dict[str, Callable[[], object]] = {
        _RAW: lambda: sign(tbs),
        "seals": lambda: sealer.apply(small, [PLACE], TIME).to_bytes(),
        "seals of a face": lambda: sealer.apply(face, [PLACE], TIME).to_bytes(),
        "verifications of a face": lambda: _verified(sealed),
    }
    steal = Steal()
    values: list[tuple[str, float]] = []
    for _ in range(effort.rounds):
        for name in tuple(programs)[1:]:
            values.append((_RAW, _rate(programs[_RAW], effort.seconds / 4)))
            values.append((name, _rate(programs[name], effort.seconds / 2)))
    values.append((_RAW, _rate(programs[_RAW], effort.seconds / 4)))
    control = control_ratios(values, _RAW)
    result.steal = steal.share()
    result.ratio("control", control)
    result.invalid = why_invalid(control, result.steal, 0)
    for name in programs:
        if name != _RAW:
            result.ratio(f"{name} ÷ {_RAW}", neighbour_ratios(values, name, _RAW))
        result.figures[f"{name} per CPU second"] = spread(
            [v for n, v in values if n == name]
        ).median
    if open_package(sealer.apply(face, [PLACE], TIME).to_bytes()).files.keys() < face.files.keys():
        raise RuntimeError("a seal lost a file")
    return result


def _verified(data: bytes) -> None:
    """One verification without trust: what remains is files, digests and signatures."""
    run = Run(Kind.OFD)
    verify_ofd(run, data, Trust("bench", ""), Evidence(now=int(TIME.timestamp())))
    if len(run.files) < 7 or any(file.reason for file in run.files):
        raise RuntimeError("a sealed document did not verify")


def _rate(program: Callable[[], object], seconds: float) -> float:
    """Runs per CPU second of this thread, which others on the machine disturb least."""
    count, began = 0, time.thread_time()
    while (passed := time.thread_time() - began) < seconds:
        program()
        count += 1
    return count / passed
