from pathlib import Path

import pytest

from mastershot.core.errors import SettingError, TimelineError
from mastershot.encoders.detectors.sound import sound_classes
from mastershot.labelling.moderation.policy import (
    MODERATION_CLASSES,
    VIOLENT_SOUNDS,
    Policy,
    load_policy,
    policy_text,
    shipped_policies,
)

SMALL = """
policy: mine
classes:
  violence:
    guideline: Confirm what hurts.
    thresholds: {seen: 0.5}
"""


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "mine.yaml"
    path.write_text(text, "utf-8")
    return path


def test_the_shipped_policies_are_whole_and_the_default_one_comes_first() -> None:
    assert shipped_policies() == ["default", "lenient", "strict"]
    for name in shipped_policies():
        policy = load_policy(name)
        assert policy.name == name
        assert {rule.name for rule in policy.classes} <= set(MODERATION_CLASSES)
        assert all(rule.guideline and rule.thresholds for rule in policy.classes)
    strict, lenient = load_policy("strict"), load_policy("lenient")
    for rule in lenient.classes:
        other = next(one for one in strict.classes if one.name == rule.name)
        assert all(other.thresholds[kind] < least for kind, least in rule.thresholds.items())


def test_every_sound_of_violence_is_one_that_the_network_knows() -> None:
    assert set(VIOLENT_SOUNDS) <= set(sound_classes())


def test_what_is_left_out_has_its_default(tmp_path: Path) -> None:
    policy = load_policy(written(tmp_path, SMALL))
    (rule,) = policy.classes
    assert (policy.name, policy.second_review) == ("mine", 0.2)
    assert (rule.severity, rule.min_duration_s, rule.merge_gap_s) == (3, 0, 0)
    assert (rule.sounds, dict(rule.thresholds)) == (VIOLENT_SOUNDS, {"seen": 0.5})


def test_a_timeline_keeps_all_of_a_policy() -> None:
    policy = load_policy("strict")
    again = Policy.of(policy.made())
    assert (again, again.fingerprint) == (policy, policy.fingerprint)
    with pytest.raises(TimelineError, match="describes its policy wrongly"):
        Policy.of({"name": "strict"})


def test_any_change_changes_the_fingerprint(tmp_path: Path) -> None:
    before = load_policy(written(tmp_path, SMALL)).fingerprint
    after = load_policy(written(tmp_path, SMALL.replace("0.5", "0.6"))).fingerprint
    assert before != after
    assert load_policy(written(tmp_path, SMALL)).fingerprint == before


@pytest.mark.parametrize(
    ("before", "after", "sentence"),
    [
        ("  violence:", "  violance:", "names class 'violance'; did you mean 'violence'"),
        ("guideline:", "guidelines:", "has key 'guidelines'; did you mean 'guideline'"),
        ("policy: mine", "policies: mine", "has key 'policies'; did you mean 'policy'"),
        ("{seen:", "{sen:", "thresholds has key 'sen'; did you mean 'seen'"),
        ("0.5", "1.5", "thresholds.seen is 1.5; it should be a number above 0 and at most 1"),
        ("0.5", "0", "thresholds.seen is 0; it should be a number above 0"),
        ("0.5", ".nan", "thresholds.seen is nan; it should be a number"),
        ("0.5", "true", "thresholds.seen is True; it should be a number"),
        ("0.5", "high", "thresholds.seen is 'high'; it should be a number"),
        ("{seen: 0.5}", "0.5", r"thresholds should be lines of `key: value`, not 0\.5"),
        ("{seen: 0.5}", "{seen: 0.5}\n    severity: 6", "severity is 6; it should be a whole"),
        ("{seen: 0.5}", "{seen: 0.5}\n    merge_gap_s: -1", "merge_gap_s is -1; it should be"),
        ("{seen: 0.5}", "{heard: 0.5}\n    sounds: [Gunshot]", "names 'Gunshot'"),
        ("{seen: 0.5}", "{heard: 0.5}\n    sounds: Boom", "sounds should be a list"),
        ("guideline: Confirm what hurts.", "severity: 2", "guideline should be a text, not None"),
        ("policy: mine", "second_review: 2", "second_review is 2; it should be a number from 0"),
        ("  violence:", "  none:", "names class 'none', which tables of verdicts"),
        ("  violence:", "  7:", "classes has key 7, which is no text"),
        ("policy: mine", "policy: !!python/object/apply:os.getcwd []", "is not plain YAML"),
        ("policy: mine", "policy: &a mine", "anchors and aliases are not taken"),
        ("policy: mine", "policy: mine\npolicy: yours", "key 'policy' is given twice"),
    ],
)
def test_what_a_policy_says_wrongly_is_one_sentence_with_its_place(
    tmp_path: Path, before: str, after: str, sentence: str
) -> None:
    assert before in SMALL
    with pytest.raises(SettingError, match=sentence) as caught:
        load_policy(written(tmp_path, SMALL.replace(before, after)))
    assert "mine.yaml" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_class_that_could_never_count_is_refused(tmp_path: Path) -> None:
    text = SMALL.replace("    thresholds: {seen: 0.5}\n", "    thresholds:\n")
    with pytest.raises(SettingError, match="thresholds should be lines of"):
        load_policy(written(tmp_path, text))


def test_an_unknown_policy_says_which_there_are(tmp_path: Path) -> None:
    with pytest.raises(
        SettingError, match="one of default, lenient, strict; did you mean 'strict'"
    ):
        load_policy("strickt")
    (tmp_path / "bad.yaml").write_bytes(b"\xff\xfe\xff")
    with pytest.raises(SettingError, match="cannot be read as UTF-8"):
        policy_text(tmp_path / "bad.yaml")
    (tmp_path / "big.yaml").write_bytes(b"#" * ((1 << 20) + 1))
    with pytest.raises(SettingError, match="it is no policy"):
        policy_text(tmp_path / "big.yaml")
    with pytest.raises(SettingError, match="it should be lines of `key: value`"):
        load_policy(written(tmp_path, "- a\n- list\n"))


def test_a_policy_may_name_the_classes_of_a_model_of_ones_own(tmp_path: Path) -> None:
    path = written(tmp_path, SMALL.replace("violence", "gore"))
    with pytest.raises(SettingError, match="names class 'gore'"):
        load_policy(path)
    assert load_policy(path, classes=["gore"]).classes[0].name == "gore"
