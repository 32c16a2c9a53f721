import json

from tests.factories.commands import run


def test_help_names_every_command() -> None:
    done = run("--help")
    assert done.returncode == 0
    assert all(word in done.stdout for word in ("analyze", "library", "doctor"))
    assert run("--version").stdout.startswith("mastershot 0.1.0")


def test_the_doctor_says_what_is_here() -> None:
    done = run("doctor", "--json")
    assert done.returncode == 0, done.stderr
    findings = json.loads(done.stdout)
    assert findings["decode_fps"] > findings["shots_fps"] * 0.5 > 0
    assert findings["packages"]["av"]
    assert {encoder["name"] for encoder in findings["encoders"]} >= {"clip", "siglip"}
