import { errnoName } from '../base/errno.js';
import { BlockFlag } from './disk-faults.js';
import type { RunStep, Step } from './history.js';

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
    case 'crash': {
      const again = step.interruptions.map((each) => `, start, ${each.how} after ${duration(each)}`);
      const tried = step.intruder === 'none' ? '' : `, try to start with ${step.intruder}`;
      const hidden = step.hides
        ? ', one copy has what was being written, and hides it until the next crash'
        : '';
      return `${step.how}${hidden}${tried}${again.join('')}, start`;
    }
    case 'scrub':
      return `scrub of the metadata${step.isAlone ? ', alone' : after(step.events)}`;
    case 'offline': {
      const before = step.faults.map((fault) => `, ${describeStep(fault)}`);
      const commands = step.commands.map(
        ({ command, interruption: cut }) =>
          `, ${command}${cut === undefined ? '' : ` (${cut.how} after ${cut.events} events)`}`,
      );
      return `${step.how}${before.join('')}${commands.join('')}, start`;
    }
    case 'bad':
      return `${disk(step.target)}: blocks ${step.block} to ${step.block + step.count - 1}${step.isAimed ? ', or as many of a unit,' : ''} are ${flags(step.flags)}`;
    case 'heal':
      return `${disk(step.target)}: blocks ${step.block} to ${step.block + step.count - 1} work again`;
    case 'passing':
      return `${disk(step.target)}: one ${step.on} of block ${step.block} will fail with ${errnoName(step.errno)}`;
    case 'flushFails':
      return `${disk(step.target)}: the next flush fails and keeps ${step.keepTimes}/8 of the cache`;
    case 'vanish':
      return `${disk(step.target)} vanishes`;
    case 'comeBack':
      return `what has vanished comes back: ${step.how}, with ${step.keepTimes}/8 of its cache`;
    case 'metadata':
      return `metadata copy ${step.copy}, ${step.page === -1 ? 'superblock' : `page ${step.page}`}: ${step.what} (${step.at})`;
  }
}

function duration({ events, fromMetadataWrite }: Pick<RunStep, 'events' | 'fromMetadataWrite'>): string {
  return fromMetadataWrite ? `${events} events from when metadata is written` : `${events} events`;
}

function after(events: number): string {
  return events === 0 ? '' : `; ${events} events`;
}

function disk(target: number): string {
  return target === 0 ? 'main' : `spare ${target - 1}`;
}

function flags(value: number): string {
  const names = Object.entries(BlockFlag).filter(([, flag]) => (value & flag) !== 0);
  return names.map(([name]) => name).join(', ');
}
