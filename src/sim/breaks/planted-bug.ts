/**
 * Bugs that are planted to see whether the simulator finds them: each is a change of one place in the compiled product
 * (`mutate-source.ts`), so the product carries no switches for it. Numbers in the comments are of the kernel module's
 * defects (the list that this project began with) that each stands for.
 */
export interface PlantedBug {
  readonly name: string;
  /** Below dist/. */
  readonly file: string;
  /** Occurs in it exactly once. */
  readonly find: string;
  readonly replace: string;
  /** What it does, for people. */
  readonly what: string;
  /** It is found within so many seeds from this one on (test/planted/planted-bugs.test.ts). */
  readonly from: number;
  readonly seeds: number;
}
