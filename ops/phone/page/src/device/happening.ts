/** Something that happens once, and that any number may wait for. */
export class Happening {
  readonly happened: Promise<void>;
  #resolve: () => void = () => undefined;

  constructor() {
    this.happened = new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }

  /** It happens now. */
  happen(): void {
    this.#resolve();
  }
}
