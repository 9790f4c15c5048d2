import { alignDown } from '../../base/units.js';
import {
  done,
  invalidSector,
  type MessageFamily,
  type MessageReply,
  type MessageTarget,
  notDone,
  numberOf,
  sectorCountOf,
  sectorOf,
  unitSectorsOf,
} from './message.js';
import { allRemaps, isPlaceTaken, placeSector, spareSectorOf } from './moved-sector.js';

/** Moving and giving back by hand, of all versions of the module. Data always moves along. */
export const REMAP_MESSAGES: MessageFamily = {
  remap: ([word], target) => remap(word, target),
  verify: ([word], target) => verify(word, target),
  clear: (_, target) => clear(target),
  clear_all: (_, target) => clear(target),
  load: ([bad, spare], target) => load(bad, spare, target),
  test_remap: ([bad, spare], target) => testRemap(bad, spare, target),
  add_remap: ([main, spare, length], target) => addRange(main, spare, length, target),
  remove_remap: ([main], target) => remove(main, target),
  remap_control: ([verb, main, spare], target) => remapControl(verb, main, spare, target),
};

async function remap(word: string | undefined, target: MessageTarget): Promise<MessageReply> {
  const sector = sectorOf(word, target);
  if (sector === undefined) return invalidSector(word);
  const placing = await placeSector(target, sector);
  if (placing.kind === 'placed')
    return done(`remapped sector ${sector} -> spare sector ${placing.spareSector}`);
  return refusal(placing, sector);
}

async function verify(word: string | undefined, target: MessageTarget): Promise<MessageReply> {
  const sector = sectorOf(word, target);
  if (sector === undefined) return invalidSector(word);
  const found = await target.device.remapAt(sector);
  if (found === undefined) return done(`sector ${sector} not remapped`);
  return done(`sector ${sector} -> spare ${spareSectorOf(found, sector)}`);
}

/** The data goes back first; a unit that the main device does not take stays. Remaps are counted anew, errors not. */
async function clear(target: MessageTarget): Promise<MessageReply> {
  const report = await target.device.giveBack({ firstSector: 0, sectorCount: sectorCountOf(target) });
  const [first] = report.refusals;
  if (first === undefined) {
    target.figures.clearRemaps((await target.device.status()).counters);
    return done('cleared all remap entries');
  }
  const counts = `${report.refusals.length} remap entries stay, ${report.doneCount} were cleared`;
  return notDone(`error: ${counts}; sector ${first.mainSector}: ${first.reason}`, first.failure);
}

async function load(
  bad: string | undefined,
  spare: string | undefined,
  target: MessageTarget,
): Promise<MessageReply> {
  const sector = sectorOf(bad, target);
  if (sector === undefined) return invalidSector(bad);
  const wished = spareSectorIn(spare, target);
  if (wished === undefined) return invalidSector(spare);
  if (await isPlaceTaken(target, wished)) return placeTaken(wished);
  const placing = await placeSector(target, sector, wished);
  if (placing.kind === 'placed') return done(`loaded ${sector} -> ${placing.spareSector}`);
  return refusal(placing, sector);
}

async function testRemap(
  bad: string | undefined,
  spare: string | undefined,
  target: MessageTarget,
): Promise<MessageReply> {
  const badSector = numberOf(bad);
  const wished = numberOf(spare);
  if (badSector === undefined || wished === undefined)
    return notDone('Usage: test_remap <bad_sector> <spare_sector>');
  if (badSector >= sectorCountOf(target)) return invalidSector(bad);
  if (spareSectorIn(spare, target) === undefined) return invalidSector(spare);
  if (await isPlaceTaken(target, wished)) return placeTaken(wished);
  const placing = await placeSector(target, badSector, wished);
  if (placing.kind !== 'placed') return refusal(placing, badSector);
  const places = `bad_sector=${badSector} spare_sector=${placing.spareSector}`;
  return done(`Created test remap: ${places} (metadata write requested)`);
}

/** All places are looked at before anything moves; what has moved already stays where it is. */
async function addRange(
  main: string | undefined,
  spare: string | undefined,
  length: string | undefined,
  target: MessageTarget,
): Promise<MessageReply> {
  const first = sectorOf(main, target);
  const wished = spareSectorIn(spare, target);
  const count = numberOf(length);
  if (first === undefined) return invalidSector(main);
  if (wished === undefined) return invalidSector(spare);
  if (count === undefined || count === 0 || first + count > sectorCountOf(target))
    return notDone(`error: invalid length '${length ?? ''}'`);
  if (count > MAX_RANGE_SECTORS) return notDone(`error: length ${count} is more than ${MAX_RANGE_SECTORS}`);
  const placings = unitsOfRange(first, wished, count, unitSectorsOf(target));
  const end = Math.max(wished + count, placings.at(-1)!.wished + 1);
  if (end > spareSectorCount(target)) return invalidSector(String(end - 1));
  for (const { sector, wished: place } of placings)
    if (!(await isMoved(target, sector)) && (await isPlaceTaken(target, place))) return placeTaken(place);
  return moveRange(target, placings, count);
}

async function moveRange(
  target: MessageTarget,
  placings: readonly WishedPlace[],
  count: number,
): Promise<MessageReply> {
  const places: number[] = [];
  for (const { sector, wished } of placings) {
    const placing = await placeSector(target, sector, wished);
    if (placing.kind === 'failed') return refusal(placing, sector);
    places.push(placing.spareSector);
  }
  return done(`added remap: ${placings[0]!.sector} -> ${places[0]}, ${count} sectors`);
}

async function isMoved({ device }: MessageTarget, sector: number): Promise<boolean> {
  return (await device.remapAt(sector)) !== undefined;
}

interface WishedPlace {
  readonly sector: number;
  /** A sector of the spare. */
  readonly wished: number;
}

/**
 * The first sector of the range in each unit that it touches. Units lie side by side on the spare also where the range begins
 * at another place of a unit there.
 */
function unitsOfRange(first: number, wished: number, count: number, unitSectors: number): WishedPlace[] {
  const places = [{ sector: first, wished }];
  const distance = alignDown(wished, unitSectors) - alignDown(first, unitSectors);
  for (let at = alignDown(first, unitSectors) + unitSectors; at < first + count; at += unitSectors)
    places.push({ sector: at, wished: at + distance });
  return places;
}

async function remove(word: string | undefined, target: MessageTarget): Promise<MessageReply> {
  const sector = sectorOf(word, target);
  if (sector === undefined) return invalidSector(word);
  const { doneCount, refusals } = await target.device.giveBack({ firstSector: sector, sectorCount: 1 });
  const [refused] = refusals;
  if (refused !== undefined)
    return notDone(`error: sector ${sector} stays remapped: ${refused.reason}`, refused.failure);
  return doneCount === 0 ? notDone(`error: sector ${sector} not remapped`) : done(`removed remap: ${sector}`);
}

async function remapControl(
  verb: string | undefined,
  main: string | undefined,
  spare: string | undefined,
  target: MessageTarget,
): Promise<MessageReply> {
  if (verb === 'add') return load(main, spare, target);
  if (verb === 'remove') return remove(main, target);
  if (verb !== 'list') return notDone('Usage: remap_control add <main> <spare> | remove <main> | list');
  const lines: string[] = [];
  for await (const one of allRemaps(target))
    lines.push(`sectors ${one.mainSector}+${one.sectorCount} -> spare ${one.spareSector}`);
  return done(lines.length === 0 ? 'no remap entries' : lines.join('\n'));
}

function refusal(
  placing: Exclude<Awaited<ReturnType<typeof placeSector>>, { kind: 'placed' }>,
  sector: number,
): MessageReply {
  switch (placing.kind) {
    case 'already':
      return notDone(`error: sector ${sector} already remapped`);
    case 'failed':
      if (placing.reason === NO_ROOM) return notDone('error: no spare sectors available', placing.failure);
      return notDone(`error: sector ${sector} was not remapped: ${placing.reason}`, placing.failure);
  }
}

function placeTaken(wished: number): MessageReply {
  return notDone(`error: spare sector ${wished} already in use`);
}

function spareSectorIn(word: string | undefined, target: MessageTarget): number | undefined {
  const sector = numberOf(word);
  return sector !== undefined && sector < spareSectorCount(target) ? sector : undefined;
}

function spareSectorCount({ device }: MessageTarget): number {
  return Math.floor(device.info.spares[0]!.sizeBytes / 512);
}

/** As the device words it. */
const NO_ROOM = 'no spare has room';
/** As many as somebody moves by one message; each unit takes some I/O. */
const MAX_RANGE_SECTORS = 1 << 16;
