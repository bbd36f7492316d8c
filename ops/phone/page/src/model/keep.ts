/** Asking the browser to keep what is stored. Only a page may ask, not a worker. */

/** Ask that the browser never removes the models by itself; return whether it will not. */
export async function askToKeep(): Promise<boolean> {
  return (await navigator.storage?.persist?.()) ?? false;
}
