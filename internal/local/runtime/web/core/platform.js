// Small globals: self, navigator, process, crypto's simple parts, structuredClone.

const randomBytes = (size) => Uint8Array.fromBase64(host.random(size));

// randomHex returns so many random bytes as digits. They are fetched some in
// advance, which costs no more than one does.
let digits = '', digitsUsed = 0;
const randomHex = (size) => {
  if (digits.length - digitsUsed < 2 * size) {
    digits = randomBytes(Math.max(size, 512)).toHex();
    digitsUsed = 0;
  }
  digitsUsed += 2 * size;
  return digits.slice(digitsUsed - 2 * size, digitsUsed);
};

define('self', globalThis);
define('navigator', Object.freeze({ userAgent: 'ESA-EdgeRoutine', hardwareConcurrency: 1, language: 'en' }));

const env = JSON.parse(environment) ?? {};
define('process', {
  env, argv: [], pid: 1, platform: 'linux', version: 'v20.0.0', versions: { node: '20.0.0' }, browser: false,
  cwd: () => '/', nextTick: (callback, ...args) => queueMicrotask(() => callback(...args)),
  hrtime: Object.assign(() => { const now = performance.now(); return [Math.floor(now / 1000), Math.floor(now % 1000 * 1e6)]; },
    { bigint: () => BigInt(Math.floor(performance.now() * 1e6)) }),
  uptime: () => performance.now() / 1000, emitWarning: (warning) => console.warn(String(warning)),
  on() { return this; }, once() { return this; }, off() { return this; }, emit() { return false; },
});

// crypto: what is asymmetric, keyed or hashed is in a part of its own.
let subtle = null;
const loadCrypto = () => subtle ??= loadPart('crypto')({ host, globalClass, DOMException, asBytes, bufferOf, internalKey });
class Crypto {
  constructor(key) { if (key !== internalKey) throw new TypeError('Illegal constructor'); }
  get subtle() { return loadCrypto().subtle; }
  getRandomValues(array) {
    if (!ArrayBuffer.isView(array) || array instanceof Float32Array || array instanceof Float64Array || array instanceof DataView) {
      throw new DOMException('getRandomValues takes an array of integers.', 'TypeMismatchError');
    }
    if (array.byteLength > 65536) throw new DOMException('getRandomValues gives 65536 bytes at most.', 'QuotaExceededError');
    asBytes(array).set(randomBytes(array.byteLength));
    return array;
  }
  randomUUID() {
    const hex = randomHex(16), variant = '89ab'[parseInt(hex[16], 16) & 3];
    return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
  }
}
globalClass(Crypto);
define('crypto', new Crypto(internalKey));
defineLazy(['CryptoKey', 'SubtleCrypto'], loadCrypto);

// Intl takes a millisecond to set up.
const loadIntl = () => {
  delete globalThis.Intl;
  for (const [type, name, own] of localized) type.prototype[name] = own;
  host.intl();
  return globalThis;
};
const localized = [];
for (const [type, names] of [[Date, ['toLocaleString', 'toLocaleDateString', 'toLocaleTimeString']], [Number, ['toLocaleString']]]) {
  for (const name of names) {
    localized.push([type, name, type.prototype[name]]);
    Object.defineProperty(type.prototype, name, {
      value(...args) { loadIntl(); return type.prototype[name].apply(this, args); }, writable: true, configurable: true, enumerable: false,
    });
  }
}
defineLazy(['Intl'], loadIntl);

const noClone = (what) => new DOMException(`${what} cannot be cloned.`, 'DataCloneError');
const errorTypes = { Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError };
const cloneValue = (value, seen) => {
  if (typeof value === 'function') throw noClone('A function');
  if (typeof value === 'symbol') throw noClone('A symbol');
  if (typeof value !== 'object' || value === null) return value;
  if (seen.has(value)) return seen.get(value);
  const keep = (copy) => { seen.set(value, copy); return copy; };
  if (value instanceof Date) return keep(new Date(value.getTime()));
  if (value instanceof RegExp) return keep(new RegExp(value.source, value.flags));
  if (value instanceof Boolean || value instanceof Number || value instanceof String || value instanceof BigInt) return keep(Object(value.valueOf()));
  if (value instanceof ArrayBuffer) return keep(value.slice(0));
  if (ArrayBuffer.isView(value)) {
    const buffer = cloneValue(value.buffer, seen);
    return keep(value instanceof DataView ? new DataView(buffer, value.byteOffset, value.byteLength) : new value.constructor(buffer, value.byteOffset, value.length));
  }
  if (value instanceof File) return keep(new File([value], value.name, { type: value.type, lastModified: value.lastModified }));
  if (value instanceof Blob) return keep(value.slice(0, value.size, value.type));
  if (value instanceof Map) {
    const copy = keep(new Map());
    for (const [k, v] of [...value]) copy.set(cloneValue(k, seen), cloneValue(v, seen));
    return copy;
  }
  if (value instanceof Set) {
    const copy = keep(new Set());
    for (const v of [...value]) copy.add(cloneValue(v, seen));
    return copy;
  }
  if (value instanceof DOMException) return keep(new DOMException(value.message, value.name));
  if (value instanceof Error) {
    const copy = keep(new (errorTypes[value.name] ?? Error)(value.message));
    if ('cause' in value) copy.cause = cloneValue(value.cause, seen);
    return copy;
  }
  if (value instanceof Promise || value instanceof WeakMap || value instanceof WeakSet || value instanceof WeakRef
    || [Body, Headers, URL, URLSearchParams, FormData, Event, EventTarget, TextEncoder, TextDecoder].some((type) => value instanceof type)) {
    throw noClone('A ' + (value.constructor?.name ?? 'platform object'));
  }
  const copy = keep(Array.isArray(value) ? new Array(value.length) : {});
  for (const key of Object.keys(value)) copy[key] = cloneValue(value[key], seen);
  return copy;
};
define('structuredClone', function structuredClone(value, options) {
  if (arguments.length === 0) throw new TypeError('structuredClone needs a value.');
  const copy = cloneValue(value, new Map());
  for (const buffer of options?.transfer ?? []) if (buffer instanceof ArrayBuffer) buffer.transfer();
  return copy;
});

// What the modules of node need of this layer.
Object.defineProperty(globalThis, Symbol.for('esa.runtime'), { value: { host, describe, encodeUTF8, decodeUTF8, asBytes, latin1, randomBytes } });

// The engine has no Array.fromAsync.
if (Array.fromAsync === undefined) {
  Object.defineProperty(Array, 'fromAsync', {
    async value(source, map, self) {
      const all = [];
      const list = source[Symbol.asyncIterator] || source[Symbol.iterator] ? source : Array.from(source);
      for await (const item of list) all.push(map === undefined ? item : await map.call(self, item, all.length));
      return all;
    }, writable: true, configurable: true,
  });
}
