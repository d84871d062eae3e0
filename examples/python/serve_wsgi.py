"""The pages and what comes in, by any server that speaks WSGI: `python serve_wsgi.py protect.toml`."""

from __future__ import annotations

import sys
from wsgiref.simple_server import make_server

import protect


def main() -> None:
    config = sys.argv[1] if len(sys.argv) > 1 else "protect.toml"
    with protect.open(config) as p, make_server("127.0.0.1", 8080, protect.web.wsgi(p)) as server:
        print("http://localhost:8080")
        server.serve_forever()


if __name__ == "__main__":
    main()
