"""The engine's image for CPU: the Debian root and the installed engine."""

import hashlib

from images.engine import EAGER, VLLM_VERSION, engine_root
from images.layers import DirectoryLayer, Layer
from images.oci import ImageConfig
from images.rootfs import ENGINE_PACKAGES, GROUPS, LEFT_OUT, USERS, base_layers, rootfs

REFERENCE = f"gemma-operator.local/vllm-cpu:{VLLM_VERSION}"
HOME = "/usr/local/lib/python3.11/dist-packages"
"""Where this Python looks by itself: PYTHONPATH belongs to the pod's scripts."""

CONFIG = ImageConfig(
    entrypoint=["vllm", "serve"],
    env={"PATH": f"{HOME}/bin:/usr/bin:/bin", "PYTHONUNBUFFERED": "1"} | EAGER,
    labels={"org.opencontainers.image.title": "vllm-cpu", "org.opencontainers.image.version": VLLM_VERSION},
)


def engine_source() -> str:
    """What the image is made of, in twelve letters: telling an old image from today's must not take reading 2.6 GB."""
    parts = (engine_root().name, rootfs(ENGINE_PACKAGES).name, LEFT_OUT, USERS, GROUPS, CONFIG, HOME)
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:12]


def engine_layers() -> list[Layer]:
    """Engine and root: the large part first, so that a change of the other is imported in seconds."""
    return [DirectoryLayer(engine_root(), prefix=HOME), *base_layers(ENGINE_PACKAGES)]
