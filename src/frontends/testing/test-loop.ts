import type { Scheduler } from '../../ports/scheduler.js';

interface Task {
  readonly dueMs: number;
  readonly run: () => void;
}

/** An event loop on a virtual clock. With `chooseIndex` it runs due tasks in any order, as a real device completes. */
export class TestLoop implements Scheduler {
  poll: () => void = () => {};
  private readonly chooseIndex: (count: number) => number;
  private clockMs = 0;
  private tasks: Task[] = [];

  constructor(chooseIndex: (count: number) => number = () => 0) {
    this.chooseIndex = chooseIndex;
  }

  nowMs(): number {
    return this.clockMs;
  }

  wallClockSeconds(): number {
    return 1_700_000_000 + Math.floor(this.clockMs / 1000);
  }

  after(delayMs: number, task: () => void): void {
    this.tasks.push({ dueMs: this.clockMs + delayMs, run: task });
  }

  /** Runs turns until nothing is due. */
  settle(): void {
    for (;;) {
      const due = this.tasks.filter((task) => task.dueMs <= this.clockMs);
      if (due.length === 0) {
        this.poll();
        if (!this.tasks.some((task) => task.dueMs <= this.clockMs)) return;
        continue;
      }
      const chosen = due[this.chooseIndex(due.length)]!;
      this.tasks.splice(this.tasks.indexOf(chosen), 1);
      chosen.run();
      if (this.chooseIndex(2) === 0) this.poll();
    }
  }

  advance(delayMs: number): void {
    const untilMs = this.clockMs + delayMs;
    for (;;) {
      this.settle();
      const nextMs = Math.min(...this.tasks.map((task) => task.dueMs));
      if (nextMs > untilMs) break;
      this.clockMs = nextMs;
    }
    this.clockMs = untilMs;
  }
}
