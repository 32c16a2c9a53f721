import math
from datetime import date
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from mastershot.core.errors import SettingError
from mastershot.datasets.plain_yaml import parse_yaml

PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda items: st.lists(items) | st.dictionaries(st.text(), items),
    max_leaves=9,
)


@given(PLAIN)
def test_plain_values_come_back_from_yaml(value: Any) -> None:
    class WithoutAliases(yaml.SafeDumper):
        def ignore_aliases(self, data: Any) -> bool:
            return True

    assert parse_yaml(yaml.dump(value, Dumper=WithoutAliases), "recipe") == value


@given(st.text("ab:-[]{}?&*|>%@`'\"#,01.~<=_ \n\t\x00", max_size=30))
def test_any_text_is_a_value_or_one_sentence(text: str) -> None:
    sentence = ""
    try:
        parse_yaml(text, "recipe x")
    except SettingError as error:
        sentence = str(error)
    assert sentence.splitlines() in ([], [sentence])
    assert sentence.startswith("recipe x " if sentence else "")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("[007, 0x1f, 1_000, .inf, 1.5]", [7, 31, 1000, math.inf, 1.5]),
        ("1e-3", "1e-3"),
        ("2001-02-03", date(2001, 2, 3)),
        ("{a: {x: 1}, b: {x: 1}}", {"a": {"x": 1}, "b": {"x": 1}}),
    ],
)
def test_words_mean_what_yaml_1_1_has_them_mean(text: str, value: Any) -> None:
    assert parse_yaml(text, "recipe") == value


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("a: 1\nb:\n  c: 2\n  c: 3\n", "is not plain YAML: key 'c' is given twice; keep one, line"),
        ("a: 1\n'a': 2", "key 'a' is given twice; keep one, line 1"),
        ("a: 1\nb: &x 2", "anchors and aliases are not taken; write it out, line 2"),
        ("{<<: *x}", "anchors and aliases are not taken; write it out, line 1"),
        ("a: !!python/name:os.system", "is not plain YAML: could not determine a constructor"),
        ("a: " + 9_999 * "1", "holds a value that means nothing: Exceeds the limit"),
        ("{a: " * 9_999, "is nested too deep"),
    ],
)
def test_what_is_not_plain_is_one_sentence_with_its_line(text: str, sentence: str) -> None:
    with pytest.raises(SettingError, match=f"^recipe x .*{sentence}"):
        parse_yaml(text, "recipe x")
