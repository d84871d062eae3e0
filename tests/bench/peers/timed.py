"""Runs a program on one processor and prints its seconds and the most memory it held, in KiB."""

import os
import resource
import subprocess
import sys
import time

os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
begun = time.monotonic()
done = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, check=False)
took = time.monotonic() - begun
print(took, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
sys.exit(done.returncode)
