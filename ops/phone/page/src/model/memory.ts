/** How much memory the runtime asks the browser for. */

/** Pages of 64 KiB: 4, 2, 1 and 0.5 GiB. */
const MOST_PAGES = [65536, 32768, 16384, 8192];

/**
 * Let shared memory be made that may grow as far as the browser permits, where it is asked for more.
 *
 * The runtime asks for 4 GiB of addresses, of which it uses what the model takes. An iPhone refuses so many.
 */
export function boundMemory(): void {
  const most = MOST_PAGES.find(isPermitted);
  if (most === undefined || most === MOST_PAGES[0]) return;
  WebAssembly.Memory = new Proxy(WebAssembly.Memory, {
    construct: (target, [asked]: [WebAssembly.MemoryDescriptor]) =>
      new target(asked.maximum === undefined ? asked : { ...asked, maximum: Math.min(asked.maximum, most) }),
  });
}

function isPermitted(maximum: number): boolean {
  try {
    return new WebAssembly.Memory({ initial: 1, maximum, shared: true }) !== null;
  } catch {
    return false;
  }
}
