export type Task = () => void;

/** Runs the last of several calls, when none has come for a while. */
export class Debounced {
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly waitMs: number,
    private readonly task: Task,
  ) {}

  call(): void {
    if (this.timer !== undefined) {
      clearTimeout(this.timer);
    }
    this.timer = setTimeout(() => {
      this.timer = undefined;
      this.task();
    }, this.waitMs);
  }

  cancel(): void {
    if (this.timer === undefined) {
      return;
    }
    clearTimeout(this.timer);
    this.timer = undefined;
  }
}
