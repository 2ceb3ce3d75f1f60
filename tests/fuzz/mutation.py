"""Damage of valid inputs: of plain bytes, and of the formats that would notice it at the door."""

import datetime
import decimal
import gzip
import io
import json
import struct
import zipfile
import zlib
from collections.abc import Callable
from random import Random

Mutator = Callable[[bytes, Random], bytes]

NUMBERS = (0, 1, 2, 3, 4, 127, 128, 255, 256, 1000, 2**15, 2**16, 2**31 - 1, 2**31, 2**32, 2**62)
VALUES = (
    *(None, True, False, 0, 1, -1, 2**31, 2**63, 2**64, 10**400, 0.5, 1e308, -0.0),
    *(float("nan"), float("inf"), "", "x", "a/../../b", "\ud800", "\0", "<script>", "nan"),
    *([], {}, [[]], [None], {"": 0}, [0, 1], "é" * 300),
)
MOST = 200_000  # bytes; damage that repeats must not grow without end


def blob(content: bytes, rng: Random) -> bytes:
    """One or a few changes that know nothing of the format."""
    data = bytearray(content)
    for _ in range(rng.choice((1, 1, 1, 2, 3, 8))):
        size = len(data)
        place = rng.randrange(size + 1)
        width = rng.choice((1, 2, 4, 8, 32))
        change = rng.randrange(9)
        if change == 0 and size:
            data[place % size] ^= 1 << rng.randrange(8)
        elif change == 1 and size:
            data[place % size] = rng.randrange(256)
        elif change == 2:
            del data[place:]
        elif change == 3:
            del data[place : place + width]
        elif change == 4:
            data[place:place] = data[place : place + width] * rng.choice((1, 2, 50))
        elif change == 5:
            data[place:place] = rng.randrange(256 ** min(width, 8)).to_bytes(8, "little")[:width]
        elif change == 6:
            data[place : place + width] = bytes(width) if rng.randrange(2) else b"\xff" * width
        elif change == 7:
            form = rng.choice(("<H", ">H", "<I", ">I", "<Q", ">Q"))
            most = 256 ** struct.calcsize(form)
            data[place : place + struct.calcsize(form)] = struct.pack(
                form, (rng.choice(NUMBERS) - rng.randrange(3)) % most
            )
        else:
            other = rng.randrange(size + 1)
            data[place : place + width] = data[other : other + width]
    return bytes(data[:MOST])


def text(content: bytes, rng: Random) -> bytes:
    """JSON: a value, a key or the form of it; sometimes plain bytes."""
    if rng.randrange(4) == 0:
        return blob(content, rng)
    try:
        tree = json.loads(content)
    except (ValueError, RecursionError):
        return blob(content, rng)
    if rng.randrange(20) == 0:
        return rng.choice((b"[", b'{"a":')) * rng.choice((10, 1000, 100_000))
    for _ in range(rng.choice((1, 1, 2, 4))):
        tree = tree_of(tree, rng)
    return json.dumps(tree).encode()


def tree_of(tree: object, rng: Random) -> object:
    """A value changed somewhere inside."""
    if isinstance(tree, dict) and tree and rng.randrange(8):
        key = rng.choice(list(tree))
        change = rng.randrange(8)
        rest = {k: v for k, v in tree.items() if k != key}
        if change == 0:
            return rest
        if change == 1:
            return rest | {rng.choice((*map(str, NUMBERS), "", "x", "__class__")): tree[key]}
        return tree | {key: tree_of(tree[key], rng)}
    if isinstance(tree, list) and tree and rng.randrange(8):
        place = rng.randrange(len(tree))
        change = rng.randrange(8)
        if change == 0:
            return tree[:place] + tree[place + 1 :]
        if change == 1:
            return tree[: place + 1] + tree[place:]
        return [*tree[:place], tree_of(tree[place], rng), *tree[place + 1 :]]
    return rng.choice(VALUES)


def gzipped(inner: Mutator) -> Mutator:
    """Inside and out of a gzip file; plain where it is none."""

    def mutate(content: bytes, rng: Random) -> bytes:
        if content[:2] != b"\x1f\x8b":
            return inner(content, rng)
        if rng.randrange(3) == 0:
            return blob(content, rng)
        try:
            plain = gzip.decompress(content)
        except (OSError, EOFError, zlib.error):
            return blob(content, rng)
        return gzip.compress(inner(plain, rng), 1, mtime=0)

    return mutate


def png(content: bytes, rng: Random) -> bytes:
    """The chunks of a PNG file, their checksums made to hold; other pictures as plain bytes."""
    if content[:8] != b"\x89PNG\r\n\x1a\n" or rng.randrange(3) == 0:
        return blob(content, rng)
    chunks, place = [], 8
    while place + 12 <= len(content):
        size = int.from_bytes(content[place : place + 4], "big")
        chunks.append((content[place + 4 : place + 8], content[place + 8 : place + 8 + size]))
        place += 12 + size
    if not chunks:
        return blob(content, rng)
    k = rng.randrange(len(chunks))
    kind, body = chunks[k]
    change = rng.randrange(6)
    if change == 0:
        del chunks[k]
    elif change == 1:
        chunks.insert(k, chunks[rng.randrange(len(chunks))])
    elif change == 2:
        named = (b"tEXt", b"zTXt", b"iTXt", b"iCCP", b"tRNS", b"PLTE", b"acTL", b"fdAT", b"eXIf")
        chunks[k] = (rng.choice(named), body)
    else:
        chunks[k] = (kind, blob(body, rng))
    parts = (
        struct.pack(">I", len(b)) + t + b + struct.pack(">I", zlib.crc32(t + b)) for t, b in chunks
    )
    return content[:8] + b"".join(parts)


def safetensors(content: bytes, rng: Random) -> bytes:
    """The JSON of a safetensors file, its length made to hold; sometimes plain bytes."""
    size = int.from_bytes(content[:8], "little")
    if rng.randrange(4) == 0 or size + 8 > len(content):
        return blob(content, rng)
    header = text(content[8 : 8 + size], rng)
    return struct.pack("<Q", len(header)) + header + content[8 + size :]


def npy(content: bytes, rng: Random) -> bytes:
    """The words of an array's header, its length made to hold; sometimes plain bytes."""
    if content[:6] != b"\x93NUMPY" or rng.randrange(3) == 0:
        return blob(content, rng)
    size = int.from_bytes(content[8:10], "little")
    header = content[10 : 10 + size]
    words = (b"<f8", b">f4", b"|O", b"<U3", b"<c16", b"|b1", b"<M8[s]", b"|V0", b"<i8", b"|S0")
    change = rng.randrange(4)
    if change == 0:
        start = header.find(b"'descr': '") + 10
        header = header[:start] + rng.choice(words) + header[header.find(b"'", start) :]
    elif change == 1:
        start = header.find(b"(")
        axes = ", ".join(str(rng.choice((*NUMBERS, -1))) for _ in range(rng.randrange(4)))
        header = header[:start] + f"({axes},)".encode() + header[header.find(b")") + 1 :]
    elif change == 2:
        header = header.replace(b"False", rng.choice((b"True", b"None", b"1/0", b"(" * 300)))
    else:
        header = blob(header, rng)
    return content[:8] + struct.pack("<H", len(header) % 2**16) + header + content[10 + size :]


def zipped(inner: Callable[[str], Mutator], compress: bool = True) -> Mutator:
    """The members of a ZIP archive, their checksums made to hold; sometimes plain bytes."""

    def mutate(content: bytes, rng: Random) -> bytes:
        if rng.randrange(4) == 0:
            return blob(content, rng)
        try:
            members = unzipped(content)
        except Exception:  # zipfile fails with a dozen kinds of exceptions
            return blob(content, rng)
        names = sorted(members)
        if not names:
            return blob(content, rng)
        name = rng.choice(names)
        change = rng.randrange(10)
        if change == 0:
            del members[name]
        elif change == 1:
            members[renamed(name, names, rng)] = members.pop(name)
        elif change == 2:
            members[renamed(name, names, rng)] = members[rng.choice(names)]
        else:
            members[name] = inner(name)(members[name], rng)
        return rezipped(members, compress and rng.randrange(10) == 0)

    return mutate


def renamed(name: str, names: list[str], rng: Random) -> str:
    stem, _, suffix = name.rpartition(".")
    folder, _, last = name.rpartition("/")
    other = rng.choice(names)
    return rng.choice(
        (
            *(other, f"../{name}", f"/{name}", stem, f"{stem}.npy", f"{stem}.parquet", f".{name}"),
            *(f"{folder}/{folder}/{last}", last, f"test/{name}", f"{other}/{last}", "", "a\\b"),
            *(f"{folder}/ü {last}", f"{folder}/{last}.{suffix}", "h7", "all/1.png", "é" * 200),
        )
    )


def unzipped(content: bytes) -> dict[str, bytes]:
    """Members by name."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        sizes = [info.file_size for info in archive.infolist()]
        if sum(sizes) > 20 * MOST:
            raise ValueError("damage made it large")
        return {name: archive.read(name) for name in archive.namelist()}


def rezipped(members: dict[str, bytes], compress: bool = False) -> bytes:
    """An archive of these members."""
    buffer = io.BytesIO()
    kind = zipfile.ZIP_DEFLATED if compress else zipfile.ZIP_STORED
    with zipfile.ZipFile(buffer, "w", kind) as archive:
        for name, body in members.items():
            archive.writestr(zipfile.ZipInfo(name or "empty", (1980, 1, 1, 0, 0, 0)), body, kind)
    return buffer.getvalue()


def parquet(content: bytes, rng: Random) -> bytes:
    """A column of a parquet file made another, in a file that is whole; sometimes plain bytes."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    if rng.randrange(2) == 0:
        return blob(content, rng)
    try:
        table = pq.read_table(io.BytesIO(content))
        columns = {name: table.column(k) for k, name in enumerate(table.column_names)}
        if not columns or not len(table):
            return blob(content, rng)
        name, n = rng.choice(list(columns)), len(table)
        change = rng.randrange(8)
        if change == 0:
            del columns[name]
        elif change == 1:
            columns[rng.choice(("", "severity", "value", "x", "__index_level_0__"))] = columns[name]
        elif change == 2:
            columns[name] = columns[name].cast(pa.string(), safe=False)
        elif change == 3:
            columns[name] = columns[name].dictionary_encode()
        else:
            columns[name] = pa.array([rng.choice(COLUMNS)] * n)
        arrays, names = list(columns.values()), list(columns)
        if change == 4:  # a name that stands twice
            arrays, names = [*arrays, arrays[0]], [*names, names[0]]
        made = pa.table(arrays, names=names)
        if rng.randrange(3) == 0:
            pandas = text((table.schema.metadata or {}).get(b"pandas", b"{}"), rng)
            made = made.replace_schema_metadata({b"pandas": pandas})
        buffer = io.BytesIO()
        pq.write_table(made, buffer)
        return buffer.getvalue()
    except (pa.ArrowException, TypeError, ValueError, OSError):
        return blob(content, rng)


COLUMNS = (
    *(None, True, 0, -1, 2**62, 0.5, float("nan"), float("inf"), "", "all", "é", b"", b"\x89PNG"),
    *([], [1.0], ["a"], {"a": 1}, decimal.Decimal("1.5"), datetime.date(2000, 1, 1)),
    datetime.datetime(9999, 12, 31, tzinfo=datetime.UTC),
)
