"""YAML of plain values."""

from typing import Any

import yaml

from mastershot.core.errors import SettingError


def parse_yaml(text: str, name: str) -> Any:
    """Return the value of a YAML text of plain values: no anchors, no tags, no key twice.

    Raises:
        SettingError: It is not such a text.
    """
    try:
        return yaml.load(text, _PlainLoader)
    except yaml.YAMLError as error:
        raise SettingError(f"{name} is not plain YAML: {_one_line(error)}") from error
    except RecursionError as error:
        raise SettingError(f"{name} is not plain YAML: it is nested too deep") from error
    except ValueError as error:  # such as a date of the 32nd
        raise SettingError(f"{name} holds a value that means nothing: {error}") from error


class _PlainLoader(yaml.SafeLoader):
    """Takes only plain values: an alias can stand for a billion others."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        event = self.peek_event()  # type: ignore[no-untyped-call]
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise yaml.composer.ComposerError(
                None, None, "anchors and aliases are not taken; write it out", event.start_mark
            )
        return super().compose_node(parent, index)

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        keys = [key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode)]
        for place, key in enumerate(keys):
            if key in keys[:place]:
                raise yaml.constructor.ConstructorError(
                    None, None, f"key {key!r} is given twice; keep one", node.start_mark
                )
        return super().construct_mapping(node, deep)


def _one_line(error: yaml.YAMLError) -> str:
    mark = getattr(error, "problem_mark", None)
    at = f", line {mark.line + 1}" if mark is not None else ""
    return f"{getattr(error, 'problem', None) or str(error).splitlines()[0]}{at}"
