"""Every table of the hub: importing this module fills `METADATA`."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import Final

import hub.access.roster_store
import hub.exchange.copy_store
import hub.registry.association_store
import hub.registry.document_store
import hub.registry.fact_store
import hub.registry.feed_store
import hub.registry.holder_link_store
import hub.registry.item_store
import hub.registry.notice_store
import hub.registry.objection_store
import hub.registry.transition_store
import hub.seal.face_store
import hub.seal.key_entry_store
import hub.seal.seal_store
import hub.storage.encryption  # noqa: F401 - declares the table of data keys.
from hub.storage.schema import METADATA

_COMPONENTS: Final = ("access", "registry", "seal", "exchange", "ledger")

for _component in _COMPONENTS:
    if find_spec(f"hub.{_component}.store") is not None:
        import_module(f"hub.{_component}.store")

__all__ = ["METADATA"]
