import json

import pytest

from mastershot.core.text import printable, utf8_text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("été 日本 🎬.mp4", "été 日本 🎬.mp4"),
        ("a\x1b[31mb\n\t.mp4", r"a\x1b[31mb\n\t.mp4"),
        ("caf\udce9.mp4", r"caf\xe9.mp4"),
        ("\ud800\x9b\u202e\u2028", r"\ud800\x9b\u202e\u2028"),
        ("wide\u3000blank\xa0", "wide\u3000blank\xa0"),
        ("می\u200cخواهم 👩\u200d🚀", "می\u200cخواهم 👩\u200d🚀"),
    ],
)
def test_what_cannot_be_seen_is_written_out(text: str, shown: str) -> None:
    assert printable(text) == shown
    assert printable(shown) == shown


def test_json_that_utf8_cannot_hold_is_escaped_and_reads_back() -> None:
    text = utf8_text(json.dumps("caf\udce9 é", ensure_ascii=False))
    assert text == r'"caf\udce9 é"'
    assert json.loads(text) == "caf\udce9 é"
