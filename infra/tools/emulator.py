"""Runs the emulator until whoever started it is gone, however that ended: our standard input ends then.

Prints the emulator's process group, in which its functions run too. Then each line of standard input is a call,
`{"number", "action", "argument"}`, of a function of cloud.py, and is answered by a line `{"number", "answer"}` or
`{"number", "failure"}`, calls beside each other. One process for all, since boto3 takes a second to load. At the
end neither process nor file is left behind. The emulator's settings are the environment's."""

import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import threading
import traceback

import cloud

writing = threading.Lock()


def answer(number, action, argument):
    try:
        answered = {"number": number, "answer": getattr(cloud, action)(**argument)}
    except Exception:
        answered = {"number": number, "failure": traceback.format_exc()}
    with writing:
        print(json.dumps(answered), flush=True)


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
    for line in sys.stdin:
        threading.Thread(target=answer, kwargs=json.loads(line), daemon=True).start()
    os.killpg(emulator.pid, signal.SIGKILL)
    emulator.wait()
