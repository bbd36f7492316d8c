/** Which build of the page this is; the builder writes it in. */

declare const BUILD: string;

/** The first digits of a hash of all that the page is built from. */
export const build: string = typeof BUILD === "string" ? BUILD : "development";
