/**
 * A Python program that prints the map as a table for dmsetup, from the spares alone: short enough to lie on every
 * spare, and written from docs/on-disk-format.md, not from this code. A test runs it.
 */
export const NOTE_PROGRAM = `#!/usr/bin/env python3
import struct, sys, zlib
def u(b, at, n): return int.from_bytes(b[at:at + n], 'little')
def whole(b, magic):
    crc = zlib.crc32(b[:8] + bytes(4) + b[12:])
    return len(b) == 4096 and b[:8] == magic and crc == u(b, 8, 4)
def read(f, at):
    try:
        f.seek(at)
        return f.read(4096)
    except OSError:
        return b''
main = sys.argv[1]
sb, spare, units = b'', {}, {}
for f in [open(path, 'rb', 0) for path in sys.argv[2:]]:
    size = f.seek(0, 2)
    for n in range(16):
        at = size * (n // 2) // 8 // 65536 * 65536 + n % 2 * 4096
        b = read(f, at)
        home = u(b, 1064 + 32 * u(b, 64, 2), 8) + 4096 * u(b, 66, 2)
        if whole(b, b'DMREMAP\\0') and at == home:
            spare[u(b, 68, 2)] = f
            if (u(b, 48, 8), u(b, 56, 8)) > (u(sb, 48, 8), u(sb, 56, 8)): sb = b
if not sb: sys.exit('no superblock found')
unit, block, size = u(sb, 76, 4), u(sb, 80, 4), u(sb, 88, 8)
def newest(p):
    best = b''
    for n in range(2 * u(sb, 70, 2)):
        c, slot = n // 2, n % 2
        if p >= u(sb, 1072 + 32 * c, 8): continue
        f = spare.get(u(sb, 1056 + 32 * c, 2))
        b = f and read(f, u(sb, 1064 + 32 * c, 8) + 16384 + 8192 * p + 4096 * slot)
        if not b or not whole(b, b'DMRPAGE\\0') or u(b, 48, 8) > u(sb, 56, 8): continue
        if b[12:40] != struct.pack('<HH16sQ', c, slot, sb[32:48], p): continue
        if (u(b, 40, 8), u(b, 48, 8)) > (u(best, 40, 8), u(best, 48, 8)): best = b
    return best or sys.exit('page %d of the map is lost' % p)
for k in range(u(sb, 72, 2)):
    first, used = u(sb, 568 + 64 * k, 8), u(sb, 584 + 64 * k, 8)
    for p in range(first // 126, first // 126 + used):
        b = newest(p)
        for i in range(126):
            d = b[64 + 32 * i:96 + 32 * i]
            m, moves = u(d, 0, 8), d[26]
            if d[27] != 1: continue
            if m in units and not 0 < (moves - units[m][0]) % 256 < 128: continue
            units[m] = moves, k, (126 * p + i - first) * unit, u(d, 8, 4)
def row(start, end, target, offset):
    if start == end: return
    where = 'linear %s %d' % (target, offset // 512) if target else 'error'
    print(start // 512, (end - start) // 512, where)
at = 0
for m in sorted(units):
    moves, k, offset, lost = units[m]
    if k not in spare: sys.exit('spare %d is needed, too' % k)
    row(at, m * unit, main, at)
    end = min(m * unit + unit, size)
    step = block if lost else unit
    for at in range(m * unit, end, step):
        name = None if lost >> (at - m * unit) // block & 1 else spare[k].name
        row(at, min(at + step, end), name, offset + at - m * unit)
    at = end
row(at, size, main, at)
`;
