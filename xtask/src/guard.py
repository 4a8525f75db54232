import os
import subprocess
import tempfile


def guard(kernel):
    """Makes a folder for temporary files; when the pipe of the guard closes, kills the kernel's process group and removes
    the folder: this process may end in any way, and at any time.

    The kernel has a session of its own, so that nothing which ends this process reaches it; so has the guard.
    """
    tempfile.tempdir = None
    folder = tempfile.mktemp()
    # Only one can make the link: the kernel, which says there who it is, or the guard, and then no kernel starts.
    kernel.kernel_spec.argv[:0] = ["sh", "-c", 'ln -s "$$" "$0/kernel" && exec "$@"', folder]
    end = 'ln -s none "$0/kernel" || kill -s KILL -- "-$(readlink "$0/kernel")"; rm -rf -- "$0"'
    guard = subprocess.Popen(
        ["sh", "-c", f"exec 2>/dev/null; cat; {end}", folder],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    )
    os.mkdir(folder, 0o700)
    tempfile.tempdir = folder  # for Jupyter's own files, too
    return guard
