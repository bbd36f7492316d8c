/** Letting a worker hear what it was told while it was busy. */

const channel = new MessageChannel();
let resume = () => {};
channel.port1.onmessage = () => resume();

/** Return once the messages that wait were heard; a timer would take 4 ms. One caller at a time. */
export async function turn(): Promise<void> {
  await new Promise<void>((resolve) => {
    resume = resolve;
    channel.port2.postMessage(null);
  });
}
