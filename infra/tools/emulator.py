"""Runs the emulator until whoever started it is gone, however that ended: our standard input ends then.

`emulator.py` prints the emulator's process group, in which its functions run too, and at the end leaves
neither process nor file behind. Its settings are the environment's."""

import os
import pathlib
import signal
import subprocess
import sys
import tempfile

program = pathlib.Path(sys.executable).with_name("ministack")
# It unpacks its functions there: hundreds of megabytes.
with tempfile.TemporaryDirectory(prefix="waxseal-emulator-", ignore_cleanup_errors=True) as folder:
    emulator = subprocess.Popen(
        [program],
        env={**os.environ, "TMPDIR": folder},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    print(emulator.pid, flush=True)
    sys.stdin.buffer.read()
    os.killpg(emulator.pid, signal.SIGKILL)
    emulator.wait()
