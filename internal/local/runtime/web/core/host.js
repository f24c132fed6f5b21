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

// showMembers makes what a class has enumerable, as the platform's classes have it.
const showMembers = (object) => {
  for (const name of Object.getOwnPropertyNames(object)) {
    if (/^(constructor|length|name|prototype)$/.test(name) && !Object.getOwnPropertyDescriptor(object, name).get) continue;
    Object.defineProperty(object, name, { enumerable: true });
  }
};

// globalClass makes a class a global.
const globalClass = (type) => {
  tag(type);
  showMembers(type.prototype);
  showMembers(type);
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

// textArgument converts an argument that is a text of characters.
const textArgument = (value) => `${value}`.toWellFormed();
const need = (args, count, what) => {
  if (args.length < count) throw new TypeError(`${what} needs ${count === 1 ? 'an argument' : count + ' arguments'}.`);
};

// pairIterators gives a class what walks over its pairs of names and values, which
// list() returns anew each time.
const pairIterators = (type, list) => {
  class Walk {
    #of; #kind; #at = 0;
    constructor(of, kind) { this.#of = of; this.#kind = kind; }
    next() {
      const pair = list(this.#of)[this.#at];
      if (pair === undefined) return { value: undefined, done: true };
      this.#at++;
      return { value: this.#kind === 'entries' ? [pair[0], pair[1]] : this.#kind === 'keys' ? pair[0] : pair[1], done: false };
    }
  }
  const { prototype } = Walk;
  delete prototype.constructor;
  Object.defineProperty(prototype, 'next', { enumerable: true });
  Object.defineProperty(prototype, Symbol.toStringTag, { value: type.name + ' Iterator', configurable: true });
  Object.setPrototypeOf(prototype, Object.getPrototypeOf(Object.getPrototypeOf([][Symbol.iterator]())));
  const walk = (of, kind) => {
    list(of); // fails if it is none
    return new Walk(of, kind);
  };
  Object.assign(type.prototype, {
    entries() { return walk(this, 'entries'); },
    keys() { return walk(this, 'keys'); },
    values() { return walk(this, 'values'); },
    forEach(callback, self) {
      if (typeof callback !== 'function') throw new TypeError('forEach needs a function.');
      for (let i = 0, pair; (pair = list(this)[i]) !== undefined; i++) callback.call(self, pair[1], pair[0], this);
    },
  });
  Object.defineProperty(type.prototype, Symbol.iterator, { value: type.prototype.entries, writable: true, configurable: true });
};

// asBytes returns a view of the same bytes, or undefined for what has none. A
// buffer that was given away has no bytes.
const asBytes = (source) => {
  if ((ArrayBuffer.isView(source) ? source.buffer : source)?.detached === true) return new Uint8Array(0);
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
