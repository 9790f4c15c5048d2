/** Tasks by due time: a binary heap, earliest first; tasks due at the same time run in the order of adding. */
export class TimerHeap {
  private readonly timers: Timer[] = [];
  private nextSequence = 0;

  add(dueMs: number, task: () => void): void {
    this.timers.push({ dueMs, sequence: this.nextSequence, task });
    this.nextSequence += 1;
    this.siftUp(this.timers.length - 1);
  }

  /** When the next task is due; Infinity when there is none. */
  nextDueMs(): number {
    return this.timers[0]?.dueMs ?? Number.POSITIVE_INFINITY;
  }

  /** Runs what is due at `nowMs`. Tasks added meanwhile wait for the next call, so one call always ends. */
  runDue(nowMs: number): void {
    if (this.nextDueMs() > nowMs) return;
    const due: Timer[] = [];
    while (this.nextDueMs() <= nowMs) due.push(this.takeFirst());
    for (const timer of due) timer.task();
  }

  private takeFirst(): Timer {
    const first = this.timers[0]!;
    const last = this.timers.pop()!;
    if (this.timers.length > 0) {
      this.timers[0] = last;
      this.siftDown(0);
    }
    return first;
  }

  private siftUp(index: number): void {
    while (index > 0) {
      const parent = (index - 1) >>> 1;
      if (!this.isEarlier(index, parent)) return;
      this.swap(index, parent);
      index = parent;
    }
  }

  private siftDown(index: number): void {
    for (;;) {
      let earliest = index;
      if (this.isEarlier(2 * index + 1, earliest)) earliest = 2 * index + 1;
      if (this.isEarlier(2 * index + 2, earliest)) earliest = 2 * index + 2;
      if (earliest === index) return;
      this.swap(index, earliest);
      index = earliest;
    }
  }

  private isEarlier(left: number, right: number): boolean {
    const first = this.timers[left];
    const second = this.timers[right];
    if (first === undefined || second === undefined) return false;
    return first.dueMs === second.dueMs ? first.sequence < second.sequence : first.dueMs < second.dueMs;
  }

  private swap(left: number, right: number): void {
    const timer = this.timers[left]!;
    this.timers[left] = this.timers[right]!;
    this.timers[right] = timer;
  }
}

interface Timer {
  readonly dueMs: number;
  readonly sequence: number;
  readonly task: () => void;
}
