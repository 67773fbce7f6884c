"""Run by the environment's own Python: objects as JSON on stdin, what is wrong with each, by position, on stdout."""

import functools
import json
import sys

import kubernetes_validate
from kubernetes_validate import utils

# Without it the definitions of all kinds are parsed again for every object.
utils.schema_contents = functools.cache(utils.schema_contents)


def told(version: str) -> dict[int, str]:
    """The objects that break a schema, or have none."""
    found = {}
    for position, item in enumerate(json.load(sys.stdin)):
        try:
            kubernetes_validate.validate(item, version, strict=True)
        except utils.SchemaNotFoundError:
            found[position] = "no schema"
        except utils.ValidationError as error:
            found[position] = f"{'.'.join(str(part) for part in error.path)}: {error.message}"
    return found


if __name__ == "__main__":
    json.dump(told(sys.argv[1]), sys.stdout)
