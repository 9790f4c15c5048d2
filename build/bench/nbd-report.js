/** `pointsOf`: by server name, in the order they are to be shown. */
export function rowReport(row, pointsOf, peerNames) {
    const medianOf = (name) => median((pointsOf.get(name) ?? []).map((point) => point.value));
    const nbdkit = medianOf('nbdkit');
    const bestPeer = Math.max(...peerNames.map(medianOf).filter((value) => !Number.isNaN(value)));
    const servers = [...pointsOf].map(([name, points]) => {
        const values = points.map((point) => point.value);
        const middle = median(values);
        return {
            name,
            median: middle,
            min: Math.min(...values),
            max: Math.max(...values),
            p99Us: median(points.map((point) => point.p99Us)),
            toNbdkit: ratio(middle, nbdkit),
            toBestPeer: ratio(middle, bestPeer),
        };
    });
    return { name: row.name, unit: row.unit, servers };
}
/** The report as a table for people. */
export function reportTable(report) {
    const lines = [
        `${report.repeats} interleaved repeats of ${report.seconds} s; median [min-max], ratios of medians`,
    ];
    for (const row of report.rows) {
        lines.push('', `${row.name} (${row.unit})`, ...row.servers.map(serverLine));
    }
    return `${lines.join('\n')}\n`;
}
function serverLine(server) {
    const range = `[${whole(server.min)}-${whole(server.max)}]`;
    return [
        `  ${server.name.padEnd(20)}`,
        whole(server.median).padStart(9),
        range.padEnd(19),
        `p99 ${whole(server.p99Us).padStart(7)} us`,
        `nbdkit x ${times(server.toNbdkit)}`,
        `best peer x ${times(server.toBestPeer)}`,
    ].join('  ');
}
function median(values) {
    const sorted = [...values].sort((a, b) => a - b);
    const upper = sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
    const lower = sorted[Math.floor((sorted.length - 1) / 2)] ?? Number.NaN;
    return (lower + upper) / 2;
}
function ratio(value, reference) {
    return Number.isFinite(reference) && reference > 0 ? value / reference : null;
}
function whole(value) {
    return Math.round(value).toLocaleString('en-GB');
}
function times(value) {
    return value === null ? '   -' : value.toFixed(2);
}
//# sourceMappingURL=nbd-report.js.map