"""Faults of a schema are told in both languages, whatever pydantic calls them."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from connectors.manifest import Manifest
from hub.config import Config
from hub.domain.schema_rules import SchemaFault, schema_text

_CELL = {"from": "a", "as": "text"}
WRONG: list[tuple[type[Config] | type[Manifest], dict[str, Any]]] = [
    (Config, {}),
    (Config, {"hub": {"origin": "a", "region": "x", "zz": 1, "replica": "q"}}),
    (Config, {"hub": {"origin": "a" * 300, "region": 330100, "replica": 99}}),
    (Config, {"hub": 3, "ledger": {"window_ms": "z", "head": "", "heartbeat_s": 1.5}}),
    (Config, {"hub": {"origin": "hub", "region": "330100"}, "database": {"url": "x"}}),
    (Manifest, {"manifest": "2", "source": {"kind": "x", "separator": "", "charset": "k"}}),
    (Manifest, {"row": {"source_key": "x", "number": {"from": "", "as": "t"}}, "fields": {}}),
    (Manifest, {"holders": "x", "lifecycle": {"op": "x"}, "brake": {"ratio": 0, "after": 0}}),
    (Manifest, {"holders": [{"type": "1"}] * 20, "empty": ["a"] * 65, "fields": 7}),
    (Manifest, {"fields": {"a": _CELL | {"currency": "CNY"}, "b": _CELL | {"footnote": "x" * 9}}}),
]


@pytest.mark.parametrize(("model", "members"), WRONG)
def test_every_fault_has_a_text_of_its_own_in_both_languages(
    model: type[Config] | type[Manifest], members: dict[str, Any]
) -> None:
    """None is left in pydantic's words, and the Chinese holds no English sentence."""
    with pytest.raises(ValidationError) as refused:
        model.model_validate(members)

    for fault in refused.value.errors():
        text = schema_text(fault)
        assert text.en != fault["msg"], fault["type"]
        assert not text.zh.startswith("不符合规则"), fault["type"]


def test_a_rule_of_our_own_brings_both_texts() -> None:
    """What a validator of ours says is shown as it is."""
    fault = {
        "type": "value_error",
        "msg": "Value error, a",
        "ctx": {"error": SchemaFault("a", "甲")},
    }

    assert (schema_text(fault).en, schema_text(fault).zh) == ("a", "甲")


def test_a_fault_that_nobody_foresaw_is_shown_as_pydantic_says_it() -> None:
    """Better in English than not at all."""
    text = schema_text({"type": "new_in_a_later_version", "msg": "Input should be nice"})

    assert (text.en, text.zh) == ("Input should be nice", "不符合规则：Input should be nice")
