"""Text from files as it is shown: on one line, without control characters, not too long."""

import ast
import unicodedata

import pytest

from sknn_basic._files.text import NAME_LENGTH, printable, short_name


def test_every_character_is_shown_or_escaped():
    """Controls, formats, surrogates, separators: escaped, so that Python reads them back; others stay."""
    for code in [*range(0x3000), 0xD800, 0xE000, 0xFEFF, 0x1F600, 0x10FFFF]:
        shown = printable(chr(code))
        if unicodedata.category(chr(code)) in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp") or (
            chr(code).isspace() and chr(code) != " "
        ):
            assert shown.isascii()
            assert shown.startswith("\\")
            assert ast.literal_eval(f"'{shown}'") == chr(code)
        else:
            assert shown == chr(code)


@pytest.mark.parametrize("length", [0, 1, NAME_LENGTH, NAME_LENGTH + 1, 10**5, 10**7])
def test_names_are_shortened(length):
    shown = short_name("é" * length)
    assert shown == "é" * length if length <= NAME_LENGTH else shown == "é" * (NAME_LENGTH - 3) + "..."
    assert len(short_name("\n" * length)) <= NAME_LENGTH
    assert len(short_name("é" * length, 7)) <= 7
    assert [short_name(name) for name in (3, 2.5, True, None)] == ["3", "2.5", "True", "None"]
