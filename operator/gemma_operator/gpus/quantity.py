"""Kubernetes quantities as numbers: ``500m``, ``16Gi``, ``1e3``."""

import re
from decimal import Decimal

_SUFFIXES = {
    "n": Decimal("1e-9"),
    "u": Decimal("1e-6"),
    "m": Decimal("1e-3"),
    "": Decimal(1),
    "k": Decimal(1000),
    "M": Decimal(1000**2),
    "G": Decimal(1000**3),
    "T": Decimal(1000**4),
    "P": Decimal(1000**5),
    "E": Decimal(1000**6),
    "Ki": Decimal(2**10),
    "Mi": Decimal(2**20),
    "Gi": Decimal(2**30),
    "Ti": Decimal(2**40),
    "Pi": Decimal(2**50),
    "Ei": Decimal(2**60),
}

_FORM = re.compile(r"([+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)(" + "|".join(_SUFFIXES) + ")")


def parse_quantity(text: str | int | float) -> float:
    """The number behind a quantity, in the resource's own unit (cores, bytes, devices).

    Raises ``ValueError`` with the text.
    """
    found = _FORM.fullmatch(str(text))
    if found is None:
        raise ValueError(f"{str(text)!r} is not a Kubernetes quantity")
    return float(Decimal(found[1]) * _SUFFIXES[found[2]])
