"""What pyspf answers for the cases of a corpus: a JSON document in, a list of [result, words] out."""

import ipaddress
import json
import sys
import types

# pyspf wants a DNS library when it is imported. It gets none: every question goes to the zone.
sys.modules["dns"] = None
sys.modules["DNS"] = types.ModuleType("DNS")
sys.modules["DNS"].Type = types.SimpleNamespace(SPF=99)
sys.modules["DNS"].DiscoverNameServers = lambda: None

import spf  # noqa: E402


def main() -> None:
    document = json.load(sys.stdin)
    zone = {name.lower(): records for name, records in document["zone"].items()}
    silent = set(document["silent"])

    def lookup(name, kind, strict=True, timeout=None):
        name = name.lower().rstrip(".")
        if name in silent:
            raise spf.TempError("DNS timeout")
        for known, value in zone.get(name, ()):
            if known == "CNAME":
                yield (name, known), value
                yield from lookup(value, kind)
            elif known == kind:
                yield (name, known), as_pydns(known, value)

    spf.DNSLookup = lookup
    answers = []
    for case in document["cases"]:
        try:
            query = spf.query(i=case["ip"], s=case["sender"], h=case["helo"], strict=True)
            result, _, words = query.check()
        except Exception as error:  # a crash is an answer too, and one to be listed
            result, words = "crash", f"{type(error).__name__}: {error}"
        answers.append([result, words])
    json.dump(answers, sys.stdout)


def as_pydns(kind, value):
    if kind == "AAAA":
        return ipaddress.IPv6Address(value).packed
    if kind == "MX":
        return tuple(value)
    if kind == "TXT":
        return tuple(string.encode("latin-1") for string in value)
    return value


main()
