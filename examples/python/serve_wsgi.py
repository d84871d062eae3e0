"""The pages and what comes in, by any server that speaks WSGI: `python serve_wsgi.py protect.toml 8080`.

The one here is Python's own, which answers one request after another: try with it, and serve with gunicorn or waitress.
"""

from __future__ import annotations

import signal
import sys
from threading import Thread
from wsgiref.simple_server import make_server

import protect


def main(config: str = "protect.toml", port: str = "8080") -> None:
    with protect.open(config) as p, make_server("127.0.0.1", int(port), protect.web.wsgi(p)) as server:
        # Ctrl-C as an exception would be lost where a request is being answered: wsgiref catches all of them.
        signal.signal(signal.SIGINT, lambda *_: Thread(target=server.shutdown).start())
        print(f"http://localhost:{server.server_port}", flush=True)
        server.serve_forever()


if __name__ == "__main__":
    main(*sys.argv[1:])
