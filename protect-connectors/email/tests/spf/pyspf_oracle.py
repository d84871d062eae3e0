"""What pyspf answers for the cases of a corpus, and why it answers otherwise than expected.

Reads {"zone", "silent", "cases": [{"ip", "sender", "helo", "expected"}]}; writes a list of
[answer, reason, words]. Where pyspf's own answer is not the expected one, the case is checked again
with each of the listed deviations of pyspf from RFC 7208 put right, alone and then all together; the
reason is that of the first which brings the expected answer, and null where none does.
"""

import ipaddress
import json
import re
import sys
import types

# pyspf wants a DNS library when it is imported. It gets none: every question goes to the zone.
sys.modules["dns"] = None
sys.modules["DNS"] = types.ModuleType("DNS")
sys.modules["DNS"].Type = types.SimpleNamespace(SPF=99)
sys.modules["DNS"].DiscoverNameServers = lambda: None

import spf  # noqa: E402

REVERSE = (
    "5.5: a question about the names of the sending host that fails means one name less, "
    "and pyspf ends in temperror"
)
VOID = (
    "4.6.4: the limit is one of terms that find nothing, and pyspf counts every question, those for "
    "aliases, for mail hosts and for the names of the sending host each by itself"
)
ZERO = "7.3: the number of parts to keep must not be zero, and pyspf takes it for all parts"
TWICE = "6: only redirect and exp may not stand twice, and pyspf refuses any modifier that does"
BARE = "5.7: exists needs a name, and pyspf takes the domain itself where there is none"
REASONS = (REVERSE, VOID, ZERO, TWICE, BARE)

ZERO_PARTS = re.compile(r"%\{[a-zA-Z]0+r?[^0-9a-zA-Z}]*\}")


class Corrected(spf.query):
    """pyspf with some of its deviations put right."""

    def __init__(self, case, corrections):
        super().__init__(i=case["ip"], s=case["sender"], h=case["helo"], strict=True)
        self.corrections = corrections
        self.quiet = 0

    def dns(self, name, qtype, cnames=None, ignore_void=False):
        if VOID not in self.corrections:
            return super().dns(name, qtype, cnames=cnames, ignore_void=ignore_void)
        before, self.void_lookups = self.void_lookups, -1_000_000
        self.quiet += 1
        try:
            found = super().dns(name, qtype, cnames=cnames, ignore_void=True)
        finally:
            self.quiet -= 1
            self.void_lookups = before
        if not found and not ignore_void and not self.quiet:
            self.count_void()
        return found

    def count_void(self):
        self.void_lookups += 1
        if self.void_lookups > spf.MAX_VOID_LOOKUPS:
            raise spf.PermError("Void lookup limit exceeded")

    def dns_mx(self, domainname):
        if VOID not in self.corrections:
            return super().dns_mx(domainname)
        hosts = sorted(self.dns(domainname, "MX"))
        if len(hosts) > spf.MAX_MX:
            raise spf.PermError("More than %d MX records returned" % spf.MAX_MX)
        self.quiet += 1
        try:
            found = [a for _, host in hosts for a in self.dns_a(host, self.A)]
        finally:
            self.quiet -= 1
        if not found and any(host for _, host in hosts):
            self.count_void()
        return found

    def validated_ptrs(self):
        names = []
        for name in self.reverse(lambda: self.dns_ptr(self.i))[: spf.MAX_PTR]:
            self.quiet += 1
            try:
                addresses = self.reverse(lambda: self.dns_a(name, self.A))
            finally:
                self.quiet -= 1
            if self.cidrmatch(addresses, self.cidrmax):
                names.append(name)
        return names

    def reverse(self, ask):
        if REVERSE not in self.corrections:
            return ask()
        try:
            return ask()
        except spf.TempError:
            return []

    def getp(self):
        if VOID not in self.corrections:
            return super().getp()
        self.quiet += 1
        try:
            return super().getp()
        finally:
            self.quiet -= 1

    def expand(self, s, stripdot=True):
        if ZERO in self.corrections and ZERO_PARTS.search(s):
            raise spf.PermError("no parts", s)
        return super().expand(s, stripdot)


    def check0(self, spf_record, recursion):
        if TWICE in self.corrections and spf_record:
            spf_record = without_repeated(spf_record)
        return super().check0(spf_record, recursion)

    def validate_mechanism(self, mech):
        if BARE in self.corrections and mech.lstrip("+-~?").lower() == "exists":
            raise spf.PermError("exists without a name", mech)
        return super().validate_mechanism(mech)


def without_repeated(record):
    words, seen = [], set()
    for word in record.split(" "):
        name = word.partition("=")[0] if spf.RE_MODIFIER.match(word) else None
        if name in seen and name not in ("redirect", "exp"):
            continue
        if name:
            seen.add(name)
        words.append(word)
    return " ".join(words)


def main():
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
    json.dump([explained(case) for case in document["cases"]], sys.stdout)


def explained(case):
    expected = case["expected"]
    answer, words = checked(case, ())
    if answer == expected:
        return answer, None, words
    for reason in REASONS:
        if checked(case, (reason,))[0] == expected:
            return answer, reason, words
    if checked(case, REASONS)[0] == expected:
        return answer, "several of the listed", words
    return answer, None, words


def checked(case, corrections):
    try:
        answer, _, words = Corrected(case, corrections).check()
    except Exception as error:  # a crash is an answer too, and one to be listed
        answer, words = "crash", f"{type(error).__name__}: {error}"
    return answer, words


def as_pydns(kind, value):
    if kind == "AAAA":
        return ipaddress.IPv6Address(value).packed
    if kind == "MX":
        return tuple(value)
    if kind == "TXT":
        return tuple(string.encode("latin-1") for string in value)
    return value


main()
