"""Every operation on seals and their keys by the kind of its intent, ready to be registered."""

from __future__ import annotations

from hub.clock import Clock
from hub.domain.seal_states import SealVerb
from hub.proof.officers import seal_kinds as kinds
from hub.seal.certified import Anchors
from hub.seal.key_operations import EndKey, GenerateKey, InstallChain, KeyMaker
from hub.seal.make_seal import MakeSeal
from hub.seal.ports import Authorities, Database, Operation
from hub.seal.reseal.compromises import CompromiseKey
from hub.seal.reseal.order import OrderReseal
from hub.seal.seal_keys import SealKeys
from hub.seal.seal_operations import ApplySeal, ChangeSeal, ImportSeal


def seal_operations(
    database: Database,
    keys: SealKeys,
    authorities: Authorities,
    anchors: Anchors,
    clock: Clock,
    *,
    types: frozenset[int],
) -> dict[str, Operation]:
    """Operations by kind. `types` are those that new seals may have."""
    maker = KeyMaker(keys, clock)

    def change(verb: SealVerb, kind: str) -> ChangeSeal:
        return ChangeSeal(database, keys, clock, verb, kind)

    def make(verb: SealVerb) -> MakeSeal:
        return MakeSeal(database, keys, clock, anchors, verb)

    return {
        kinds.SEAL_APPLY.name: ApplySeal(database, maker, authorities, clock, types),
        kinds.SEAL_MAKE.name: make(SealVerb.MAKE),
        kinds.SEAL_RENEW.name: make(SealVerb.RENEW),
        kinds.SEAL_IMPORT.name: ImportSeal(database, authorities, anchors, clock),
        kinds.SEAL_SUSPEND.name: change(SealVerb.SUSPEND, "seal.suspended"),
        kinds.SEAL_RESUME.name: change(SealVerb.RESUME, "seal.resumed"),
        kinds.SEAL_REVOKE.name: change(SealVerb.REVOKE, "seal.revoked"),
        kinds.SEAL_END.name: change(SealVerb.END, "seal.ended"),
        kinds.KEY_GENERATE.name: GenerateKey(database, maker, authorities),
        kinds.KEY_ACTIVATE.name: InstallChain(database, keys, clock, anchors, rotates=False),
        kinds.KEY_ROTATE.name: InstallChain(database, keys, clock, anchors, rotates=True),
        kinds.KEY_RETIRE.name: EndKey(keys, clock, destroys=False),
        kinds.KEY_DESTROY.name: EndKey(keys, clock, destroys=True),
        kinds.KEY_COMPROMISE.name: CompromiseKey(database, keys, clock),
        kinds.KEY_RESEAL.name: OrderReseal(keys),
    }
