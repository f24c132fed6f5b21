// What the machine provides, and how values cross. The fragments in this folder
// share one scope; this one comes first.

const takeHostFunction = (name) => {
  const f = globalThis['__esa_' + name];
  delete globalThis['__esa_' + name];
  return f;
};

const host = {
  // respond(status, headers, kind, body, streams, last): the response.
  respond: takeHostFunction('respond'),
  // finish(): the code is done with the request.
  finish: takeHostFunction('finish'),
  // fail(name, message, stack): the code threw; without name and message, it
  // returned no Response.
  fail: takeHostFunction('fail'),
  // log(level, message)
  log: takeHostFunction('log'),
  // start(number, kind, first, second, valueKind, value): begins an operation,
  // which settle() ends.
  start: takeHostFunction('start'),
  // cancel(number): ends an operation early, if it can be.
  cancel: takeHostFunction('cancel'),
  // random(size): random bytes as base64.
  random: takeHostFunction('random'),
  // encode(text): UTF-8 as base64. decode(base64, label, flags): a text.
  encode: takeHostFunction('encode'),
  decode: takeHostFunction('decode'),
  // url(url, base, part, value): the lines href, protocol, username, password,
  // hostname, port, pathname, search, hash, origin; empty if there is no such URL.
  url: takeHostFunction('url'),
  // intl(): defines Intl. crypto(operation, arguments): both as JSON texts.
  intl: takeHostFunction('intl'),
  crypto: takeHostFunction('crypto'),
  // load(part): leaves the function that a part of the web layer is on the global
  // object.
  load: takeHostFunction('load'),
};

// loadPart returns a part's function.
const loadPart = (name) => {
  host.load(name);
  return takeHostFunction('part');
};

const NONE = 0, TEXT = 1, BYTES = 2, HANDLE = 3;

// HostBody is a body that the machine's other side holds.
class HostBody {
  constructor(handle) { this.handle = handle; }
}

const kindOf = (value) => value === undefined || value === null ? NONE
  : typeof value === 'string' ? TEXT : value instanceof HostBody ? HANDLE : BYTES;
const textOf = (value) => value === undefined || value === null ? ''
  : typeof value === 'string' ? value : value instanceof HostBody ? value.handle : value.toBase64();
const valueOf = (kind, text) => kind === NONE ? undefined : kind === TEXT ? text
  : kind === BYTES ? Uint8Array.fromBase64(text) : new HostBody(text);

// define makes a global as the platform has them: writable, not enumerable.
const define = (name, value) => {
  Object.defineProperty(globalThis, name, { value, writable: true, configurable: true, enumerable: false });
};

// defineLazy makes globals that load() returns when the first of them is used.
const defineLazy = (names, load) => {
  for (const name of names) {
    Object.defineProperty(globalThis, name, {
      get() { return load()[name]; },
      set(value) { define(name, value); },
      configurable: true, enumerable: false,
    });
  }
};

// tag gives a class the name that Object.prototype.toString shows.
const tag = (type, name = type.name) => {
  Object.defineProperty(type.prototype, Symbol.toStringTag, { value: name, configurable: true });
};

// globalClass makes a class a global.
const globalClass = (type) => {
  tag(type);
  define(type.name, type);
};

// Operations under way, by number.
let lastOperation = 0;
const operations = new Map();

// operate promises what an operation comes to. A value that comes with a body is
// the pair of both.
const operate = (kind, first = '', second = '', value = undefined) => new Promise((resolve, reject) => {
  const number = ++lastOperation;
  host.start(number, kind, first, second, kindOf(value), textOf(value));
  operations.set(number, { resolve, reject });
});

// asBytes returns a view of the same bytes, or undefined for what has none.
const asBytes = (source) => {
  if (source instanceof Uint8Array) return source;
  if (ArrayBuffer.isView(source)) return new Uint8Array(source.buffer, source.byteOffset, source.byteLength);
  if (source instanceof ArrayBuffer || (typeof SharedArrayBuffer === 'function' && source instanceof SharedArrayBuffer)) return new Uint8Array(source);
  return undefined;
};

// bufferOf returns an ArrayBuffer of exactly these bytes.
const bufferOf = (bytes) => bytes.byteLength === bytes.buffer.byteLength ? bytes.buffer
  : bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength);

const encodeUTF8 = (text) => Uint8Array.fromBase64(host.encode(text));
const decodeUTF8 = (bytes) => host.decode(bytes.toBase64(), '', '');

const concatBytes = (chunks) => {
  if (chunks.length === 1) return chunks[0];
  let size = 0;
  for (const chunk of chunks) size += chunk.length;
  const all = new Uint8Array(size);
  let at = 0;
  for (const chunk of chunks) { all.set(chunk, at); at += chunk.length; }
  return all;
};
