/**
 * The ONNX graphs of the benchmark: `a` (m, k) and `b` (k, n) in, their product out.
 *
 * Made by tests/phone/make_graphs.py from the graph with which other devices measure themselves.
 */

/** Return the graph of which both are inputs. */
export function matmulGraph(): Uint8Array {
  return bytes(
    "CAkSBnN0YXJhaTpgChEKAWEKAWISAWMiBk1hdE11bBIGbWF0bXVsWhUKAWESEAoOCAESCgoDEgFtCgMSAWtaFQoBYhIQCg4IARIK" +
    "CgMSAWsKAxIBbmIVCgFjEhAKDggBEgoKAxIBbQoDEgFuQgQKABAU",
  );
}

/** The size of its weights, which have the name `weights`. */
export const ROWS = 2048;
export const COLUMNS = 4096;

/** Return the graph of which `b` is a weight of that size. */
export function weightsGraph(): Uint8Array {
  return bytes(
    "CAkSBnN0YXJhaTqlAQoRCgFhCgFiEgFjIgZNYXRNdWwSBm1hdG11bCpDCIAQCIAgEAFCAWJqEwoIbG9jYXRpb24SB3dlaWdodHNq" +
    "CwoGb2Zmc2V0EgEwahIKBmxlbmd0aBIIMzM1NTQ0MzJwAVoVCgFhEhAKDggBEgoKAxIBbQoDEgFrWhUKAWISEAoOCAESCgoDEgFr" +
    "CgMSAW5iFQoBYxIQCg4IARIKCgMSAW0KAxIBbkIECgAQFA==",
  );
}

function bytes(base64: string): Uint8Array {
  return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
}
