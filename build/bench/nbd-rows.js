const KIB = 1024;
const MIB = 1024 * KIB;
export const NBD_ROWS = [
    row('4k random read, depth 1', 'read', 'random', 4 * KIB, 1),
    row('4k random read, depth 64', 'read', 'random', 4 * KIB, 64),
    row('4k random read, 4 jobs x depth 32', 'read', 'random', 4 * KIB, 32, 4),
    row('4k random write, depth 64', 'write', 'random', 4 * KIB, 64),
    row('1M sequential read, depth 8', 'read', 'sequential', MIB, 8),
    row('1M sequential write, depth 8', 'write', 'sequential', MIB, 8),
];
function row(name, operation, access, blockBytes, depth, jobs = 1) {
    return { name, operation, access, blockBytes, depth, jobs, unit: blockBytes >= MIB ? 'MB/s' : 'IOPS' };
}
//# sourceMappingURL=nbd-rows.js.map