"""Runs in the engine's environment: asks vLLM's own argument parser. Questions as JSON on stdin, answers on stdout.

Never imported by a test: ``test_arguments`` starts it as a process, since the engine has its own packages.
"""

import argparse
import contextlib
import json
import sys
from typing import Any

from vllm.engine.arg_utils import AsyncEngineArgs
from vllm.entrypoints.launchers.cli_args import make_arg_parser
from vllm.utils.argparse_utils import FlexibleArgumentParser


def own_name(action: argparse.Action) -> str:
    """The first long name of an option that is no negation."""
    names = [name[2:] for name in action.option_strings if name.startswith("--")]
    return next((name for name in names if not name.startswith("no-")), names[0])


def meaning(parser: argparse.ArgumentParser, text: str) -> str | None:
    """The option that a spelling means; ``None`` for none or several."""
    if text in parser._option_string_actions:
        return own_name(parser._option_string_actions[text])
    names = {own_name(match[0]) for match in parser._get_option_tuples(text)}
    return names.pop() if len(names) == 1 else None


def parsed(parser: FlexibleArgumentParser, arguments: list[str]) -> dict[str, Any] | None:
    """Every setting that vLLM reads from a command line; ``None`` where it refuses the line."""
    try:
        namespace = vars(parser.parse_args(["serve", *arguments]))
    except SystemExit:
        return None
    return {name: value for name, value in namespace.items() if isinstance(value, str | int | float | list | dict)}


def sampling_defaults(parser: FlexibleArgumentParser, arguments: list[str]) -> dict[str, Any]:
    """What a request that says nothing is sampled with."""
    namespace = parser.parse_args(["serve", *arguments])
    namespace.model = namespace.model_tag
    return dict(AsyncEngineArgs.from_cli_args(namespace).create_model_config().get_diff_sampling_param())


def main() -> None:
    """Answer everything that was asked."""
    asked = json.load(sys.stdin)
    outer = FlexibleArgumentParser(prog="vllm")
    parser = make_arg_parser(outer.add_subparsers(dest="subparser").add_parser("serve"))
    options = [action for action in parser._actions if any(name.startswith("--") for name in action.option_strings)]
    with contextlib.redirect_stdout(sys.stderr):
        answers = {
            "options": [own_name(action) for action in options],
            "short": {
                name: own_name(action)
                for action in options
                for name in action.option_strings
                if not name.startswith("--")
            },
            "meanings": [meaning(parser, text) for text in asked.get("spellings", [])],
            "parsed": [parsed(outer, line) for line in asked.get("lines", [])],
            "sampling": [sampling_defaults(outer, line) for line in asked.get("sampled", [])],
        }
    json.dump(answers, sys.stdout, default=str)


if __name__ == "__main__":
    main()
