// What `caret models --json` and `caret pull` print.

/** A model that Caret knows. */
export interface Model {
  name: string;
  abilities: string[];
  /** Bytes of its file, 0 where unknown. */
  size: number;
  state: "installed" | "partial" | "damaged" | "absent";
}

/** Those that can complete code; what is on disk comes first. */
export function completing(json: string): Model[] {
  const models = (JSON.parse(json) as Model[]).filter(({ abilities }) =>
    abilities.includes("infill"),
  );
  const rank = ({ state }: Model) => (state === "installed" ? 0 : 1);
  return models.sort((a, b) => rank(a) - rank(b));
}

/** For example "1.1 GB, to be downloaded". */
export function describe({ size, state }: Model): string {
  const here = state === "installed" ? "on this machine" : "to be downloaded";
  return size ? `${(size / 1e9).toFixed(1)} GB, ${here}` : here;
}

const UNITS: Record<string, number> = { bytes: 1, kB: 1e3, MB: 1e6, GB: 1e9 };
const SIZE = String.raw`([\d.,]+) (bytes|kB|MB|GB)`;
const PROGRESS = new RegExp(`: ${SIZE} of ${SIZE}$`);

/** Progress from a line such as "name from pypi: 49.1 MB of 491.4 MB"; undefined for others. */
export function pullProgress(line: string): { message: string; percent: number } | undefined {
  const found = PROGRESS.exec(line.trim());
  if (!found) {
    return undefined;
  }
  const [, done, doneUnit, total, totalUnit] = found;
  const percent = (100 * bytes(done, doneUnit)) / bytes(total, totalUnit);
  const message = `${done} ${doneUnit} of ${total} ${totalUnit}`;
  return { message, percent: Math.min(100, percent || 0) };
}

function bytes(number = "0", unit = "bytes"): number {
  return Number(number.replaceAll(",", "")) * (UNITS[unit] ?? 1);
}
