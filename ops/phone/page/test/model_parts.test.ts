import assert from "node:assert/strict";
import { test } from "node:test";
import { ModelError } from "../src/errors.ts";
import { batches } from "../src/model/batching.ts";
import { readManifest, sizeOf } from "../src/model/manifest.ts";
import { findPhone } from "../src/model/phone.ts";
import { throttled } from "../src/model/throttled.ts";
import { Tokenizer } from "../src/model/tokenizer.ts";

const FILE = { path: "a", size: 1, sha256: "0".repeat(64) };
const MANIFEST = { name: "m", kind: "embed", longest: 256, graph: FILE, files: [FILE, FILE] };

test("texts of like length run together, within the budget", () => {
  assert.deepEqual(batches([5, 1, 4, 1], 8), [[1, 3], [2], [0]]);
  assert.deepEqual(batches([9], 8), [[0]]);
  assert.deepEqual(batches([], 8), []);
});

test("a manifest is read as the server sends it, whatever else is in it", () => {
  assert.deepEqual(readManifest("m", { ...MANIFEST, new: 1 }), MANIFEST);
  assert.equal(sizeOf(readManifest("m", MANIFEST)), 3);
});

test("a manifest that is another model's, of another kind or without checksums is refused", () => {
  const wrong = [null, [], { ...MANIFEST, name: "n" }, { ...MANIFEST, kind: "generate" }, { ...MANIFEST, longest: 0 }];
  const files = [{ ...FILE, sha256: "0" }, { ...FILE, size: -1 }, { ...FILE, path: 1 }, null];
  for (const json of [...wrong, ...files.map((file) => ({ ...MANIFEST, files: [file] }))]) {
    assert.throws(() => readManifest("m", json), ModelError);
  }
});

test("a phone is called by what its browser tells", async () => {
  const android = await findPhone({
    userAgent: "Mozilla/5.0 (Linux; Android 10; K)",
    hardwareConcurrency: 8,
    deviceMemory: 4,
    userAgentData: {
      platform: "Android",
      getHighEntropyValues: async () => ({ architecture: "arm", model: "Pixel\u00077", platformVersion: "15.0.0" }),
    },
  });
  assert.equal(android.operating_system, "Android 15");
  assert.equal(android.cpu_model, "a phone with 8 cores (arm, Pixel 7)");
  assert.deepEqual([android.memory_bytes, android.memory_available_bytes], [2 ** 32, 2 ** 31]);
});

test("an iPhone, which tells less, is called by its user agent", async () => {
  const userAgent = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15";
  const phone = await findPhone({ userAgent, hardwareConcurrency: 4 });
  assert.equal(phone.operating_system, "iOS 18");
  assert.equal(phone.cpu_model, "a phone with 4 cores");
  assert.equal(phone.memory_bytes, 2 ** 31);
});

test("a browser that calls itself anything at all is no more than 200 printable characters", async () => {
  const phone = await findPhone({ userAgent: "\u0000\n".repeat(5) + "x".repeat(500) });
  assert.equal(phone.operating_system, "x".repeat(200));
  assert.equal((await findPhone({ userAgent: "" })).operating_system, "unknown");
});

test("progress is told of the beginning and the end, however fast it goes", () => {
  const told: number[] = [];
  const tell = throttled(({ done }) => told.push(done));
  for (let done = 0; done <= 1000; done++) tell({ done, total: 1000 });
  assert.equal(told[0], 0);
  assert.equal(told.at(-1), 1000);
  assert.ok(told.length < 1000);
});

const TOKENIZER = {
  added_tokens: [],
  normalizer: { type: "BertNormalizer", clean_text: true, handle_chinese_chars: true, lowercase: true },
  pre_tokenizer: { type: "BertPreTokenizer" },
  post_processor: { type: "TemplateProcessing", single: [{ Sequence: { id: "A" } }], special_tokens: {} },
  model: {
    type: "WordPiece",
    unk_token: "?",
    continuing_subword_prefix: "##",
    max_input_chars_per_word: 9,
    vocab: { "?": 0, un: 1, "##do": 2, "##does": 3 },
  },
};

test("a word is made of the longest parts that are known, or is unknown", () => {
  const tokenizer = new Tokenizer(JSON.stringify(TOKENIZER), 8);
  assert.deepEqual(tokenizer.encode("Undo undoes do"), [1, 2, 1, 3, 0]);
});

test("a tokenizer of another kind is refused", () => {
  const others = [
    { normalizer: { ...TOKENIZER.normalizer, lowercase: false } },
    { normalizer: null },
    { pre_tokenizer: { type: "Metaspace" } },
    { post_processor: null },
    { model: { ...TOKENIZER.model, type: "Unigram" } },
    { added_tokens: [{ id: 1, content: "x", normalized: true }] },
  ];
  for (const other of others) {
    assert.throws(() => new Tokenizer(JSON.stringify({ ...TOKENIZER, ...other }), 8), ModelError);
  }
});
