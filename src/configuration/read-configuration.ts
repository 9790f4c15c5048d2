import type { z } from 'zod';
import { failed, ok, type Result } from '../base/result.js';
import { readSettingChanges } from '../settings/setting-changes.js';
import type { GivenSetting, GivenSettings } from '../settings/settings-in-force.js';
import { problemLines } from '../yaml/problem-lines.js';
import { readYaml, type YamlText } from '../yaml/read-yaml.js';
import { keyText } from '../yaml/yaml-position.js';
import { claimedBefore, claimedTwice, claimsOf } from './claims.js';
import type { ConfigurationFile } from './configuration-files.js';
import { type ConfigurationText, configurationSchema, type SetText } from './configuration-schema.js';

/** All files together. */
export interface Configuration {
  readonly files: readonly string[];
  readonly sets: ReadonlyMap<string, ConfiguredSet>;
}

export interface ConfiguredSet extends Omit<SetText, 'settings'> {
  /** `FILE:LINE` */
  readonly where: string;
  /** Its own, then those for all sets; what has given each is `FILE:LINE`. */
  readonly settings: GivenSettings;
}

/**
 * Understands configuration files, in this order: a set is in one of them; of settings for all sets the last one counts. The error
 * has one line for each mistake: `FILE:LINE:COLUMN: KEY: what is wrong`.
 */
export function readConfiguration(files: readonly ConfigurationFile[]): Result<Configuration, string> {
  const parts: ReadFile[] = [];
  const problems: string[] = [];
  for (const file of files) {
    const part = readOne(file);
    if (part.ok) parts.push(part.value);
    else problems.push(...part.error);
  }
  if (problems.length > 0) return failed(problemLines(problems));
  let common: GivenSettings = {};
  for (const part of parts) common = { ...common, ...settingsOf(part, part.content.settings, ['settings']) };
  const sets = new Map<string, ConfiguredSet>();
  for (const part of parts)
    for (const [name, set] of Object.entries(part.content.sets ?? {})) {
      const other = sets.get(name);
      if (other !== undefined) problems.push(at(part, ['sets', name], `is in ${other.where} already`));
      const own = settingsOf(part, set.settings, ['sets', name, 'settings']);
      sets.set(name, { ...set, where: whereOf(part, ['sets', name]), settings: { ...common, ...own } });
    }
  if (problems.length === 0) problems.push(...sharedProblems(parts));
  return problems.length > 0
    ? failed(problemLines(problems))
    : ok({ files: files.map(({ path }) => path), sets });
}

/** What only one set can have, and is said twice: a start would refuse it, or two sets would write to one disk. */
function sharedProblems(parts: readonly ReadFile[]): string[] {
  const problems: string[] = [];
  const claimed = new Map<string, { readonly set: string; readonly where: string }>();
  for (const part of parts)
    for (const [name, set] of Object.entries(part.content.sets ?? {}))
      for (const claim of claimsOf(name, set)) {
        const id = `${claim.kind} ${claim.what}`;
        const before = claimed.get(id);
        if (before === undefined) claimed.set(id, { set: name, where: whereOf(part, claim.keys) });
        else if (before.set === name) problems.push(at(part, claim.keys, claimedTwice(claim)));
        else problems.push(at(part, claim.keys, claimedBefore(claim, before.set, before.where)));
      }
  return problems;
}

interface ReadFile {
  readonly path: string;
  readonly text: YamlText;
  readonly content: ConfigurationText;
}

type Path = readonly (string | number)[];

function readOne({ path, text }: ConfigurationFile): Result<ReadFile, readonly string[]> {
  const read = readYaml(text);
  if (!read.ok)
    return failed(read.error.map(({ line, column, problem }) => `${path}:${line}:${column}: ${problem}`));
  const parsed = configurationSchema.safeParse(read.value.value ?? {});
  const file = { path, text: read.value };
  if (!parsed.success) return failed(parsed.error.issues.map((issue) => problemOf(file, issue)));
  const part = { ...file, content: parsed.data };
  const problems = settingProblems(part);
  return problems.length > 0 ? failed(problems) : ok(part);
}

function problemOf(file: Pick<ReadFile, 'path' | 'text'>, issue: z.core.$ZodIssue): string {
  const path = issue.path.map((part) => (typeof part === 'number' ? part : String(part)));
  const unknownKey = issue.code === 'unrecognized_keys' ? issue.keys[0] : undefined;
  if (unknownKey !== undefined) path.push(unknownKey);
  // The name of a key is judged inside.
  const inner = issue.code === 'invalid_key' ? issue.issues[0]?.message : undefined;
  return at(file, path, inner ?? issue.message);
}

/** What the schema can't see: one setting under two names. */
function settingProblems(part: ReadFile): string[] {
  const { settings, sets = {} } = part.content;
  const all: [Path, SetText['settings']][] = [
    [['settings'], settings],
    ...Object.entries(sets).map(([name, set]): [Path, SetText['settings']] => [
      ['sets', name, 'settings'],
      set.settings,
    ]),
  ];
  return all.flatMap(([path, given]) => {
    const read = readSettingChanges(definedOf(given));
    return read.ok ? [] : [at(part, path, read.error)];
  });
}

function settingsOf(part: ReadFile, given: SetText['settings'], path: Path): GivenSettings {
  const settings: Record<string, GivenSetting> = {};
  for (const [name, input] of Object.entries(definedOf(given))) {
    const read = readSettingChanges({ [name]: input });
    if (!read.ok) continue;
    for (const [key, value] of Object.entries(read.value))
      settings[key] = { value: value!, givenBy: whereOf(part, [...path, name]) };
  }
  return settings;
}

function definedOf(given: SetText['settings']): Record<string, string | number> {
  const entries = Object.entries(given ?? {}).filter(([, input]) => input !== undefined);
  return Object.fromEntries(entries) as Record<string, string | number>;
}

function at({ path, text }: Pick<ReadFile, 'path' | 'text'>, keys: Path, problem: string): string {
  const { line, column } = text.positionOf(keys);
  return `${path}:${line}:${column}: ${keys.length === 0 ? '' : `${keyText(keys)}: `}${problem}`;
}

function whereOf({ path, text }: ReadFile, keys: Path): string {
  return `${path}:${text.positionOf(keys).line}`;
}
