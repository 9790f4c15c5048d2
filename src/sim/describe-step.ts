import { errnoName } from '../base/errno.js';
import type { OfflineStep } from './commands/command-step.js';
import type { EvacuationStep } from './commands/evacuation-step.js';
import type { HandStep } from './commands/hand-step.js';
import type { SetStep } from './commands/setting-step.js';
import { BlockFlag } from './disk-faults.js';
import type { CrashStep, FaultStep, RunStep, Step } from './history.js';
import { BYSTANDER } from './machine.js';

/** One line for a person. Targets: 0 is the main device, 1 + n spare n. */
export function describeStep(step: Step): string {
  switch (step.kind) {
    case 'request': {
      const place = step.isAimed
        ? ` ${step.count} blocks at the bad ones, ${step.first < 0 ? '' : '+'}${step.first}`
        : ` blocks ${step.first} to ${step.first + step.count - 1}`;
      const range = step.operation === 'flush' ? '' : place;
      const how = step.durable && step.operation === 'write' ? ', FUA' : '';
      const where = step.operation === 'zero' ? `, flags ${step.flags}` : '';
      return `${step.operation}${range}${how}${where}${after(step.events)}`;
    }
    case 'run':
      return `${duration(step)} happen`;
    case 'wait':
      return `${step.ms} ms pass`;
    case 'rest':
      return 'everything comes to rest and is checked';
    case 'crash':
      return describeCrash(step);
    case 'handOver': {
      const cut = step.interruption;
      const ends = cut === undefined ? '' : `, ${cut.how} after ${cut.events} events`;
      const meanwhile = step.requests.map((request) => `, ${describeStep(request)}`);
      return `hand over${meanwhile.join('')}${ends}, start`;
    }
    case 'weak':
      return `block ${step.block}${step.isOnSpare ? ' of what lives on spares' : ''} is hard to read, and is read`;
    case 'turns':
      return `a moved unit (${step.unit}) moves until its count is ${step.lastCount}, and once more`;
    case 'quiet':
      return 'everything comes to rest, until what is copied is recorded';
    case 'recording':
      return 'everything comes to rest, until what is copied is about to be recorded';
    case 'scrub':
      return `scrub of the metadata${step.isAlone ? ', alone' : after(step.events)}`;
    case 'hand':
      return describeHand(step);
    case 'shift':
      return `shift of a moved unit (${step.unit}) to another place (${step.place})${after(step.events)}`;
    case 'evacuate':
    case 'pauseEvacuation':
    case 'resumeEvacuation':
    case 'acceptLoss':
    case 'cancelEvacuation':
    case 'cutOver':
    case 'leave':
      return describeEvacuation(step);
    case 'set':
      return describeSet(step);
    case 'suspend':
    case 'resume':
      return `${step.kind}${after(step.events)}`;
    case 'empty': {
      const how = `${step.acceptsLoss ? ', losses accepted' : ''}${step.keeps ? '' : ', which takes nothing new'}`;
      return `${step.limit} units at most are moved from spare ${step.spare}${how}${after(step.events)}`;
    }
    case 'spares': {
      const cut = step.interruption;
      const ends = cut === undefined ? '' : ` (${cut.phase}: ${cut.how} after ${cut.events} events)`;
      return `${step.how}, ${step.change === 'add' ? 'a spare is added' : `spare ${step.spare} is removed`}${ends}, start`;
    }
    case 'offline':
      return describeOffline(step);
    case 'bad':
    case 'heal':
    case 'passing':
    case 'flushFails':
    case 'vanish':
    case 'comeBack':
    case 'metadata':
      return describeFault(step);
  }
}

function describeCrash({ how, flushFails, hides, intruder, interruptions }: CrashStep): string {
  const fails = flushFails === undefined ? '' : `, and a flush of ${disk(flushFails.target)} fails`;
  const hidden = hides ? ', one copy has what was being written, and hides it until the next crash' : '';
  const tried = intruder === 'none' ? '' : `, try to start with ${intruder}`;
  const again = interruptions.map((each) => `, start, ${each.how} after ${duration(each)}`);
  return `${how}${fails}${hidden}${tried}${again.join('')}, start`;
}

function describeFault(step: FaultStep): string {
  switch (step.kind) {
    case 'bad':
      return `${disk(step.target)}: blocks ${step.block} to ${step.block + step.count - 1}${step.isAimed ? ', or as many of a unit,' : ''} are ${flags(step.flags)}`;
    case 'heal':
      return `${disk(step.target)}: blocks ${step.block} to ${step.block + step.count - 1} work again`;
    case 'passing':
      return `${disk(step.target)}: one ${step.on} of block ${step.block} will fail with ${errnoName(step.errno)}`;
    case 'flushFails':
      return `${disk(step.target)}: the next flush fails and keeps ${step.keepTimes}/8 of the cache`;
    case 'vanish':
      return `${disk(step.target)} ${step.isReadable ? 'takes no writes' : 'vanishes'}`;
    case 'comeBack':
      return `what has vanished comes back: ${step.how}, with ${step.keepTimes}/8 of its cache`;
    case 'metadata':
      return `metadata copy ${step.copy}, ${step.page === -1 ? 'superblock' : `page ${step.page}`}: ${step.what} (${step.at})`;
  }
}

function describeHand({ action, isAimed, unit, place, mainFlags, events }: HandStep): string {
  const which = isAimed ? 'a moved or failing unit' : 'a unit';
  const where = place === -1 ? '' : place === -2 ? ' to where one was released' : ' to a given place';
  const before = mainFlags === 0 ? '' : `, which is ${flags(mainFlags)} on main`;
  return `${action} of ${which} (${unit})${where}${before}${after(events)}`;
}

function describeOffline(step: OfflineStep): string {
  const before = step.faults.map((fault) => `, ${describeStep(fault)}`);
  const commands = step.commands.map(
    ({ command, interruption: cut }) =>
      `, ${command}${cut === undefined ? '' : ` (${cut.how} after ${cut.events} events)`}`,
  );
  return `${step.how}${before.join('')}${commands.join('')}, start`;
}

function describeSet({ changes, events }: SetStep): string {
  const words = Object.entries(changes).map(([key, value]) => `${key}=${value ?? 'default'}`);
  return `set ${words.join(' ')}${after(events)}`;
}

function describeEvacuation(step: EvacuationStep): string {
  switch (step.kind) {
    case 'evacuate':
      return `everything is copied to the other disk${step.isFresh ? ', a flawless one' : ''}${after(step.events)}`;
    case 'pauseEvacuation':
      return `the copying pauses${after(step.events)}`;
    case 'resumeEvacuation':
      return `the copying goes on${after(step.events)}`;
    case 'acceptLoss':
      return `what only the main device holds is given up, if that is gone${after(step.events)}`;
    case 'cancelEvacuation':
      return `the copying is cancelled${after(step.events)}`;
    case 'leave':
      return `all units are given back${step.isAlone ? ', alone, and the set is left' : after(step.events)}`;
    case 'cutOver': {
      const { patience, requests, starts, interruption: cut } = step;
      const ends = cut === undefined ? '' : ` (${cut.phase}: ${cut.how} after ${cut.events} events)`;
      const meanwhile = requests.map((request) => `, ${describeStep(request)}`);
      const again = starts.map((each) => `, start, ${each.how} after ${duration(each)}`);
      return `the other disk takes over, if it has everything within ${patience} events${ends}${meanwhile.join('')}${again.join('')}, start`;
    }
  }
}

function duration({ events, fromMetadataWrite }: Pick<RunStep, 'events' | 'fromMetadataWrite'>): string {
  return fromMetadataWrite ? `${events} events from when metadata is written` : `${events} events`;
}

function after(events: number): string {
  return events === 0 ? '' : `; ${events} events`;
}

function disk(target: number): string {
  if (target === BYSTANDER) return 'other disk';
  return target === 0 ? 'main' : `spare ${target - 1}`;
}

function flags(value: number): string {
  const names = Object.entries(BlockFlag).filter(([, flag]) => (value & flag) !== 0);
  return names.map(([name]) => name).join(', ');
}
