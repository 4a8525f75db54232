"""Prints the version that a kernel says it has. Argument: the kernel's program."""
import subprocess
import sys

from jupyter_client import KernelManager
from jupyter_client.kernelspec import KernelSpec, KernelSpecManager


class OneKernel(KernelSpecManager):
    def get_kernel_spec(self, kernel_name):
        return KernelSpec(argv=[sys.argv[1], "--control_file", "{connection_file}"])


manager = KernelManager(kernel_spec_manager=OneKernel())
with guard(manager):
    manager.start_kernel(stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    client = manager.client()
    try:
        client.start_channels()
        client.wait_for_ready(timeout=60)
        print(client.kernel_info(reply=True, timeout=60)["content"]["implementation_version"])
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
