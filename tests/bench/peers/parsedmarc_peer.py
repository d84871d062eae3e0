"""Reads the files of a folder with parsedmarc, offline, and prints each report as a line of JSON."""

import json
import logging
import sys
from pathlib import Path

import parsedmarc

logging.disable(logging.CRITICAL)
for path in sorted(Path(sys.argv[1]).iterdir()):
    report = parsedmarc.parse_aggregate_report_file(path.read_bytes(), offline=True)
    print(json.dumps(report, default=str))
