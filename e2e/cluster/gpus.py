"""The real node's GPUs, without a GPU: a device plug-in that the kubelet counts and assigns devices of."""

from e2e.cluster.binaries import own_program
from e2e.cluster.daemon import Daemon
from e2e.cluster.paths import STATE

DEVICE_PLUGIN = Daemon("gpu-device-plugin")
COUNT = STATE / "gpu-count"
RESOURCE = "nvidia.com/gpu"


def start_device_plugin() -> None:
    """Start the plug-in, with as many devices as were offered last, at first none."""
    if not COUNT.exists():
        set_gpu_count(0)
    DEVICE_PLUGIN.start([str(own_program("gpu-device-plugin")), str(COUNT)], lambda: True, 10)


def set_gpu_count(count: int) -> None:
    """Tell the plug-in how many devices there are; it tells the kubelet within a second."""
    unfinished = COUNT.with_suffix(".part")
    unfinished.write_text(str(count))
    unfinished.rename(COUNT)
