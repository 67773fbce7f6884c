"""Context lengths as people write them: an integer, or 1K to 1024K with K = 1,024.

The CRD holds the same rule as CEL; the command line and the operator parse with this function. vLLM itself reads
``256k`` as 256,000 and ``256K`` as 262,144, which is why only one spelling is allowed here.
"""

import re

MIN_TOKENS = 128
MAX_TOKENS = 1024 * 1024
PATTERN = "^[1-9][0-9]{0,3}K$"
MESSAGE = (
    "contextLength is a number of tokens from 128 to 1048576, or 1K to 1024K with a capital K (K = 1,024): "
    "for 262,144 tokens write 256K, not 256k or 256Ki"
)


def parse_context_length(value: object) -> int:
    """Tokens of an ``int`` or a text such as ``256K``. Raises ``ValueError`` that says what to write."""
    tokens: int | None = None
    if isinstance(value, int) and not isinstance(value, bool):
        tokens = value
    elif isinstance(value, str) and re.fullmatch(PATTERN, value, re.ASCII):
        tokens = int(value[:-1]) * 1024
    if tokens is None or not MIN_TOKENS <= tokens <= MAX_TOKENS:
        raise ValueError(f"{MESSAGE}; got {value!r}")
    return tokens
