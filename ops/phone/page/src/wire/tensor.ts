/** Arrays on the wire: base64 of little-endian bytes, with dtype and shape (starai/tensor.py). */

import type { Vectors } from "../contract.ts";
import { toBase64 } from "./bytes.ts";

export interface Tensor {
  dtype: string;
  shape: number[];
  data: string;
}

/** What the numbers of an array may be. */
export const DTYPES = [
  "<f4", "<f2", "<f8", "|i1", "<i2", "<i4", "<i8", "|u1", "<u2", "<u4", "<u8", "|b1",
] as const;

const IS_LITTLE = new Uint8Array(new Uint32Array([1]).buffer)[0] === 1;

/** Return the wire form of vectors: rows times width numbers of 32 bits. */
export function pack(vectors: Vectors): Tensor {
  const { data, rows, width } = vectors;
  if (data.length !== rows * width) throw new RangeError(`${data.length} numbers are not ${rows} rows of ${width}.`);
  return { dtype: "<f4", shape: [rows, width], data: toBase64(littleEndian(data)) };
}

function littleEndian(data: Float32Array): Uint8Array {
  if (IS_LITTLE) return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  const view = new DataView(new ArrayBuffer(data.byteLength));
  data.forEach((value, at) => view.setFloat32(4 * at, value, true));
  return new Uint8Array(view.buffer);
}
