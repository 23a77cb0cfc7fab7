"""What a department's signer compares of a code with its own row."""

from __future__ import annotations

import dataclasses

from connectors.own_faces import difference_of_code
from tests.proof.test_face_code import CODE
from tests.simulator import company, licence, permit

ROW = dataclasses.replace(licence(1), valid_from=CODE.valid_from, valid_until=CODE.valid_until)
SAID = dataclasses.replace(CODE, name="杭州示例1有限公司", number=company(1))


def test_a_code_says_what_the_row_says() -> None:
    """Name, number and days; a number that the hub keeps as a hash only stands in no code."""
    assert difference_of_code(ROW, SAID) is None
    assert difference_of_code(ROW, dataclasses.replace(SAID, number="9")) == "another number"
    assert difference_of_code(ROW, dataclasses.replace(SAID, name="别人")) == "another name"
    assert difference_of_code(ROW, dataclasses.replace(SAID, valid_until="")) == "other days"
    person = dataclasses.replace(permit(1), valid_from=CODE.valid_from, valid_until=None)
    silent = dataclasses.replace(SAID, name="王示例1", number="", valid_until="")
    assert difference_of_code(person, silent) is None
