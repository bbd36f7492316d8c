/** Two tabs of one browser are not the same device twice: one is, and the others wait until it is closed. */

const NAME = "starai-device";

/** What a tab says that waits. */
export const WAITS =
  "This phone's StarAI page is open in another tab already, which does the work. This one goes on when that is closed.";

/** The part of the browser's locks that is used. */
export type Locks = Pick<LockManager, "request">;

/** Resolve once this is the only one, for as long as it lives; `onWait` is called if another one is. */
export async function alone(locks: Locks | undefined, onWait: () => void): Promise<void> {
  if (!locks || (await isMine(locks, { ifAvailable: true }))) return;
  onWait();
  await isMine(locks, {});
}

function isMine(locks: Locks, options: LockOptions): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const hold = (lock: Lock | null): Promise<void> | undefined => {
      resolve(lock !== null);
      return lock === null ? undefined : new Promise<void>(() => undefined); // until this tab is closed
    };
    locks.request(NAME, options, hold).catch(reject);
  });
}
