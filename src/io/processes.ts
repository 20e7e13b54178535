import { readFileSync } from 'node:fs';

/** One process of one start of the machine: ids are used again, ids with a start time are not. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Opaque, without spaces; empty where the system does not tell. */
  readonly started: string;
}

/** What a lock has to know of the world; injectable, since simulated processes die too. */
export interface Processes {
  readonly self: ProcessIdentity;
  /** True where it cannot be known. */
  isAlive(identity: ProcessIdentity): boolean;
}

/** The processes of this machine, as seen from this process's namespace. */
export function systemProcesses(): Processes {
  return { self: { pid: process.pid, started: startOf(process.pid) ?? '' }, isAlive };
}

/**
 * Processes of a simulated machine: each start of it has one, and those of earlier starts are dead.
 * Give it the `boot` of a SimDisk.
 */
export function bootProcesses(boot: number): Processes {
  const self = { pid: 1000 + boot, started: `boot-${boot}` };
  return { self, isAlive: ({ pid, started }) => pid === self.pid && started === self.started };
}

function isAlive({ pid, started }: ProcessIdentity): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    // EPERM: it is there and another user's.
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
  }
  const now = startOf(pid);
  if (now === undefined || started === '') return true;
  return now === started;
}

/**
 * When a process was started, in clock ticks since the machine was (field 22 of /proc/PID/stat,
 * proc(5)), and which start of the machine that was. Undefined where there is no /proc; empty for a
 * process that has ended and is only waiting for its parent.
 */
function startOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // The second field is the program's name in parentheses, and may have spaces and parentheses
    // itself.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const [state, ticks] = [fields[0], fields[22 - 3]];
    if (state === undefined || ticks === undefined) return undefined;
    if (state === 'Z' || state === 'X') return '';
    return `${ticks}-${readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim()}`;
  } catch {
    return undefined;
  }
}
