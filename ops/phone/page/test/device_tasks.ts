/** A task, for tests. */

import type { Task } from "../src/wire/task.ts";

/** Return a task of one text, but for what is said otherwise. */
export function aTask(more: Partial<Task> = {}): Task {
  return {
    id: "task-1",
    replyTo: "reply.ann-aa",
    submitter: "ann",
    inputs: "one text",
    expires: null,
    submitted: null,
    returns: 0,
    lease: null,
    redelivered: false,
    republished: false,
    cameBack: false,
    generates: false,
    stream: false,
    ...more,
  };
}
