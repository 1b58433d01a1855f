#!/usr/bin/env python3

# Copyright (C) the nginx-ux authors
#
# A second implementation of assignment (DESIGN.md section 2), from the
# published description of XXH3 and sharing no line with src/.  It made
# assign.tsv and xxh3.tsv, which pin hash -> unit -> variant for ever.
#
#   t/golden/reference.py assign    print assign.tsv
#   t/golden/reference.py xxh3      print xxh3.tsv
#   t/golden/reference.py check     compare both with the files beside this

import math
import os
import struct
import sys
from fractions import Fraction


# XXH3_64bits, seed 0 ------------------------------------------------------

M64 = (1 << 64) - 1

P32_1, P32_2, P32_3 = 0x9E3779B1, 0x85EBCA77, 0xC2B2AE3D
P64_1, P64_2, P64_3 = (0x9E3779B185EBCA87, 0xC2B2AE3D27D4EB4F,
                       0x165667B19E3779F9)
P64_4, P64_5 = 0x85EBCA77C2B2AE63, 0x27D4EB2F165667C5

SECRET = bytes.fromhex(
    "b8fe6c3923a44bbe7c01812cf721ad1cded46de9839097db7240a4a4b7b3671f"
    "cb79e64eccc0e578825ad07dccff7221b8084674f743248ee03590e6813a264c"
    "3c2852bb91c300cb88d0658b1b532ea371644897a20df94e3819ef46a9deacd8"
    "a8fa763fe39c343ff9dcbbc7c70b4f1d8a51e04bcdb45931c89f7ec9d9787364"
    "eac5ac8334d3ebc3c581a0fffa1363eb170ddd51b7f0da49d316552629d4689e"
    "2b16be587d47a1fc8ff8b8d17ad031ce45cb3a8f95160428afd7fbcabb4b407e")

STRIPE = 64
BLOCK = STRIPE * ((len(SECRET) - STRIPE) // 8)


def r32(b, at):
    return struct.unpack_from("<I", b, at)[0]


def r64(b, at):
    return struct.unpack_from("<Q", b, at)[0]


def swap64(x):
    return int.from_bytes(x.to_bytes(8, "little"), "big")


def rotl(x, n):
    return ((x << n) | (x >> (64 - n))) & M64


def fold(a, b):
    p = a * b
    return (p & M64) ^ (p >> 64)


def avalanche(h):
    h ^= h >> 37
    h = h * 0x165667919E3779F9 & M64
    return h ^ (h >> 32)


def avalanche_xxh64(h):
    h ^= h >> 33
    h = h * P64_2 & M64
    h ^= h >> 29
    h = h * P64_3 & M64
    return h ^ (h >> 32)


def mix16(b, at, s):
    return fold(r64(b, at) ^ r64(SECRET, s),
                r64(b, at + 8) ^ r64(SECRET, s + 8))


def xxh3_0_16(b):
    n = len(b)

    if n > 8:
        lo = r64(b, 0) ^ r64(SECRET, 24) ^ r64(SECRET, 32)
        hi = r64(b, n - 8) ^ r64(SECRET, 40) ^ r64(SECRET, 48)
        return avalanche((n + swap64(lo) + hi + fold(lo, hi)) & M64)

    if n >= 4:
        h = (r32(b, n - 4) + (r32(b, 0) << 32)) & M64
        h ^= r64(SECRET, 8) ^ r64(SECRET, 16)
        h ^= rotl(h, 49) ^ rotl(h, 24)
        h = h * 0x9FB21C651E98DF25 & M64
        h ^= ((h >> 35) + n) & M64
        h = h * 0x9FB21C651E98DF25 & M64
        return h ^ (h >> 28)

    if n > 0:
        h = b[0] << 16 | b[n >> 1] << 24 | b[n - 1] | n << 8
        return avalanche_xxh64(h ^ r32(SECRET, 0) ^ r32(SECRET, 4))

    return avalanche_xxh64(r64(SECRET, 56) ^ r64(SECRET, 64))


def xxh3_17_128(b):
    n = len(b)
    acc = n * P64_1

    for i in range((n - 1) // 32 + 1):
        acc += mix16(b, 16 * i, 32 * i)
        acc += mix16(b, n - 16 * (i + 1), 32 * i + 16)

    return avalanche(acc & M64)


def xxh3_129_240(b):
    n = len(b)
    acc = n * P64_1

    for i in range(8):
        acc += mix16(b, 16 * i, 16 * i)

    acc = avalanche(acc & M64)

    for i in range(8, n // 16):
        acc += mix16(b, 16 * i, 16 * (i - 8) + 3)

    acc += mix16(b, n - 16, 136 - 17)

    return avalanche(acc & M64)


def accumulate(acc, b, at, s):
    for i in range(8):
        value = r64(b, at + 8 * i)
        key = value ^ r64(SECRET, s + 8 * i)
        acc[i ^ 1] = (acc[i ^ 1] + value) & M64
        acc[i] = (acc[i] + (key & 0xffffffff) * (key >> 32)) & M64


def scramble(acc):
    for i in range(8):
        a = acc[i] ^ (acc[i] >> 47)
        a ^= r64(SECRET, len(SECRET) - STRIPE + 8 * i)
        acc[i] = a * P32_1 & M64


def xxh3_long(b):
    n = len(b)
    acc = [P32_3, P64_1, P64_2, P64_3, P64_4, P32_2, P64_5, P32_1]

    for stripe in range((n - 1) // STRIPE):
        at = stripe * STRIPE
        accumulate(acc, b, at, at % BLOCK // STRIPE * 8)

        if (at + STRIPE) % BLOCK == 0:
            scramble(acc)

    accumulate(acc, b, n - STRIPE, len(SECRET) - STRIPE - 7)

    h = n * P64_1
    for i in range(4):
        h += fold(acc[2 * i] ^ r64(SECRET, 11 + 16 * i),
                  acc[2 * i + 1] ^ r64(SECRET, 19 + 16 * i))

    return avalanche(h & M64)


def xxh3(b):
    if len(b) <= 16:
        return xxh3_0_16(b)
    if len(b) <= 128:
        return xxh3_17_128(b)
    if len(b) <= 240:
        return xxh3_129_240(b)
    return xxh3_long(b)


# Assignment ---------------------------------------------------------------

def unit(h):
    return ((h >> 12) + 0.5) * 2.0 ** -52


def ask(salt, purpose, key):
    return xxh3(salt + b"\0" + purpose + b"\0" + key)


def share(text):
    """A percentage without its sign as the nearest double of its share."""
    return float(Fraction(text) / 100)


def assign(spec, options, key):
    """Hashes of the layer (None), enrolment and arms, and the variant."""
    name, variants = spec.split(":")
    variants = [v.split("=") for v in variants.split(",")]
    given = dict(o.lstrip("-").split("=", 1) for o in options.split())

    salt = given.get("salt", name)
    if "version" in given:
        salt += "#" + given["version"]
    salt = salt.encode()

    layer = None
    enrolled = True

    if "layer" in given:
        layer_name, bounds = given["layer"].rstrip("%").split(":")
        lo, hi = (share(x) for x in bounds.split("-"))
        layer = ask(layer_name.encode(), b"layer", key)
        enrolled = lo <= unit(layer) < hi

    enrol = ask(salt, b"enrol", key)
    traffic = share(given.get("traffic", "100%").rstrip("%"))
    enrolled = enrolled and unit(enrol) < traffic

    arms = [ask(salt, b"arm:" + v.encode(), key) for v, _ in variants]
    scores = [(-math.log(unit(h)) / float(w), v)
              for h, (v, w) in zip(arms, variants) if float(w) > 0]

    return layer, enrol, arms, min(scores)[1] if enrolled else "-"


# The files ----------------------------------------------------------------

KEYS = [
    b"", b"0", b"u1", b"abc", b"visitor-1", b"visitor-2", b"visitor-3",
    b"visitor-292875", b"visitor-33801",
    b"00000000000000000000000000000000",
    b"0123456789abcdef0123456789abcdef",
    b"fedcba9876543210fedcba9876543210",
    b"ffffffffffffffffffffffffffffffff",
    b"someone@example.org", b"with blank", b"with\ttab", b" edge ",
    "J\u00fcrgen".encode(), "\u7528\u6237-42".encode(),
    "\U0001f6d2".encode(),
    b"\x00", b"\x00\x01\x02\xff\xfe", b"\x80\x81", b"\r", b"a\x00b", b"\\x41",
    b"a" * 40, b"b" * 90, b"c" * 128, b"d" * 150, b"e" * 200, b"f" * 240,
    b"g" * 300, b"h" * 1100, b"i" * 2100,
]

EXPERIMENTS = [
    ("a:b=1,c=1", ""),
    ("checkout_layout:control=50,one_page=50", ""),
    ("checkout_layout:control=20,one_page=80", ""),
    ("checkout_layout:one_page=50,control=50", ""),
    ("heavy:control=1,tail=1000000000", ""),
    ("heavy:control=1000000000,tail=1000000000", ""),
    ("tiny:control=0.001,other=99.999", ""),
    ("ramp:control=50,b=50", "--traffic=0.001%"),
    ("ramp:control=50,b=50", "--traffic=10%"),
    ("ramp:control=50,b=50", "--traffic=33.3%"),
    ("ramp:control=50,b=50", "--traffic=0%"),
    ("off:control=1,gone=0,on=1", ""),
    ("three:control=1,b=1,c=1", ""),
    ("five:control=40,Blue=25,x.1=15,y-2=12.5,z_3=7.5", "--traffic=60%"),
    ("banner:control=1,b=1", "--layer=page:0-50%"),
    ("price:control=1,b=1", "--layer=page:50-100%"),
    ("third:control=1,b=2", "--layer=page:33.3-66.6% --traffic=50%"),
    ("checkout_layout:control=50,one_page=50", "--version=2"),
    ("checkout_layout:control=50,one_page=50", "--salt=2026-spring"),
    ("checkout_layout:control=50,one_page=50",
     "--salt=2026-spring --version=4294967295"),
    ("long_" + "n" * 59 + ":" + "V" * 64 + "=1," + "W" * 64 + "=3",
     "--salt=" + "s" * 120),
]


def boundary_keys():
    """The enrolment of `a` hashes 8 bytes and the key."""
    return [b"k" * (n - 8)
            for n in (15, 16, 17, 32, 33, 64, 65, 96, 97, 128, 129, 239, 240,
                      241, 256, 257, 1024, 1025, 2048, 2049)]


def escape(key):
    return "".join(chr(c) if 0x21 <= c <= 0x7e and c != 0x5c
                   else "\\x%02x" % c for c in key)


def assign_rows():
    yield ("# experiment\toptions\tkey (\\xHH is a byte)\tlayer\tenrol\tarms"
           "\tvariant")

    for number, (spec, options) in enumerate(EXPERIMENTS):
        for key in KEYS + (boundary_keys() if number == 0 else []):
            layer, enrol, arms, variant = assign(spec, options, key)

            yield "\t".join([
                spec, options or "-", escape(key),
                "-" if layer is None else "%016x" % layer, "%016x" % enrol,
                ",".join("%016x" % h for h in arms), variant])


def xxh3_rows():
    yield "# length of the input (byte i is i * 167 + 13 mod 256)\tXXH3_64bits"

    for n in list(range(0, 301)) + [511, 512, 513, 1023, 1024, 1025, 2047,
                                    2048, 2049, 3000]:
        data = bytes((i * 167 + 13) & 0xff for i in range(n))
        yield "%d\t%016x" % (n, xxh3(data))


FILES = {"assign": assign_rows, "xxh3": xxh3_rows}


def check():
    here = os.path.dirname(os.path.abspath(__file__))
    status = 0

    for name, rows in FILES.items():
        with open(os.path.join(here, name + ".tsv"), encoding="ascii") as f:
            if f.read() != "".join(row + "\n" for row in rows()):
                print("%s.tsv differs" % name, file=sys.stderr)
                status = 1

    return status


def main():
    what = sys.argv[1] if len(sys.argv) == 2 else ""

    if what == "check":
        return check()

    if what not in FILES:
        print("usage: reference.py assign|xxh3|check", file=sys.stderr)
        return 2

    for row in FILES[what]():
        print(row)

    return 0


if __name__ == "__main__":
    sys.exit(main())
