// node:buffer: Buffer over Uint8Array.
const { encodeUTF8, decodeUTF8, latin1 } = globalThis[Symbol.for('esa.runtime')];

const normalize = (encoding = 'utf8') => {
  switch (String(encoding).toLowerCase()) {
    case 'utf8': case 'utf-8': return 'utf8';
    case 'hex': return 'hex';
    case 'base64': return 'base64';
    case 'base64url': return 'base64url';
    case 'latin1': case 'binary': return 'latin1';
    case 'ascii': return 'ascii';
    case 'ucs2': case 'ucs-2': case 'utf16le': case 'utf-16le': return 'utf16le';
  }
  throw new TypeError(`Unknown encoding: ${encoding}`);
};

const bytesOfText = (text, encoding) => {
  switch (normalize(encoding)) {
    case 'utf8': return encodeUTF8(text);
    case 'hex': {
      const digits = /^(?:[0-9a-f]{2})*/i.exec(text)[0];
      return Uint8Array.fromHex(digits);
    }
    case 'base64': case 'base64url': {
      let plain = text.replace(/=.*$/s, '').replace(/-/g, '+').replace(/_/g, '/').replace(/[^A-Za-z0-9+/]/g, '');
      if (plain.length % 4 === 1) plain = plain.slice(0, -1);
      return Uint8Array.fromBase64(plain);
    }
    case 'latin1': case 'ascii': return Uint8Array.from(text, (c) => c.charCodeAt(0));
    default: {
      const out = new Uint8Array(text.length * 2);
      for (let i = 0; i < text.length; i++) { out[2 * i] = text.charCodeAt(i); out[2 * i + 1] = text.charCodeAt(i) >> 8; }
      return out;
    }
  }
};

const textOfBytes = (bytes, encoding) => {
  switch (normalize(encoding)) {
    case 'utf8': return decodeUTF8(bytes);
    case 'hex': return bytes.toHex();
    case 'base64': return bytes.toBase64();
    case 'base64url': return bytes.toBase64({ alphabet: 'base64url', omitPadding: true });
    case 'latin1': return latin1(bytes);
    case 'ascii': return latin1(bytes.map((b) => b & 0x7F));
    default: {
      let text = '';
      for (let i = 0; i + 1 < bytes.length; i += 2) text += String.fromCharCode(bytes[i] | bytes[i + 1] << 8);
      return text;
    }
  }
};

const plain = (bytes) => new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
const wrap = (bytes) => Object.setPrototypeOf(bytes, Buffer.prototype);

export function Buffer(value, encodingOrOffset, length) {
  return typeof value === 'number' ? Buffer.alloc(value) : Buffer.from(value, encodingOrOffset, length);
}
Object.setPrototypeOf(Buffer, Uint8Array);
Buffer.prototype = Object.create(Uint8Array.prototype, { constructor: { value: Buffer, writable: true, configurable: true } });

Object.assign(Buffer, {
  poolSize: 8192,
  from(value, encodingOrOffset, length) {
    if (typeof value === 'string') return wrap(bytesOfText(value, encodingOrOffset));
    if (value instanceof ArrayBuffer) return wrap(new Uint8Array(value, encodingOrOffset, length));
    if (ArrayBuffer.isView(value) || Array.isArray(value)) return wrap(new Uint8Array(value));
    if (value?.type === 'Buffer' && Array.isArray(value.data)) return wrap(new Uint8Array(value.data));
    if (typeof value?.valueOf() === 'string') return Buffer.from(value.valueOf(), encodingOrOffset);
    if (typeof value?.length === 'number') return wrap(Uint8Array.from(value));
    throw new TypeError('Buffer.from takes a string, an array, an ArrayBuffer or a view of one.');
  },
  alloc(size, fill, encoding) {
    const made = wrap(new Uint8Array(size));
    return fill === undefined ? made : made.fill(fill, 0, size, encoding);
  },
  allocUnsafe: (size) => wrap(new Uint8Array(size)),
  allocUnsafeSlow: (size) => wrap(new Uint8Array(size)),
  concat(list, total = list.reduce((sum, b) => sum + b.length, 0)) {
    const all = Buffer.alloc(total);
    let at = 0;
    for (const b of list) {
      if (at >= total) break;
      all.set(b.subarray(0, total - at), at);
      at += b.length;
    }
    return all;
  },
  byteLength: (value, encoding) => typeof value === 'string' ? bytesOfText(value, encoding).length : value.byteLength,
  compare(a, b) {
    for (let i = 0; i < Math.min(a.length, b.length); i++) if (a[i] !== b[i]) return a[i] < b[i] ? -1 : 1;
    return Math.sign(a.length - b.length);
  },
  isBuffer: (value) => value instanceof Buffer,
  isEncoding: (encoding) => { try { normalize(encoding); return true; } catch { return false; } },
});

const methods = {
  toString(encoding, start = 0, end = this.length) { return textOfBytes(plain(this).subarray(start, end), encoding); },
  toJSON() { return { type: 'Buffer', data: Array.from(this) }; },
  equals(other) { return Buffer.compare(this, other) === 0; },
  compare(other, ...range) {
    const [start = 0, end = other.length, mineStart = 0, mineEnd = this.length] = range;
    return Buffer.compare(this.subarray(mineStart, mineEnd), other.subarray(start, end));
  },
  write(text, offset = 0, length, encoding) {
    if (typeof offset === 'string') [offset, length, encoding] = [0, undefined, offset];
    else if (typeof length === 'string') [length, encoding] = [undefined, length];
    const bytes = bytesOfText(text, encoding).subarray(0, Math.min(length ?? Infinity, this.length - offset));
    this.set(bytes, offset);
    return bytes.length;
  },
  copy(target, at = 0, start = 0, end = this.length) {
    const part = this.subarray(start, Math.min(end, start + target.length - at));
    target.set(part, at);
    return part.length;
  },
  slice(start, end) { return this.subarray(start, end); },
  subarray(start, end) { return wrap(Uint8Array.prototype.subarray.call(plain(this), start, end)); },
  fill(value, start = 0, end = this.length, encoding) {
    if (typeof start === 'string') [start, end, encoding] = [0, this.length, start];
    if (typeof value !== 'string') return Uint8Array.prototype.fill.call(this, value, start, end);
    const bytes = bytesOfText(value, encoding);
    for (let i = start; i < end; i++) this[i] = bytes.length === 0 ? 0 : bytes[(i - start) % bytes.length];
    return this;
  },
  indexOf(value, from = 0, encoding) {
    if (typeof value === 'number') return Uint8Array.prototype.indexOf.call(this, value & 0xFF, from);
    const wanted = typeof value === 'string' ? bytesOfText(value, encoding) : value;
    for (let at = from < 0 ? Math.max(0, this.length + from) : from; at + wanted.length <= this.length; at++) {
      if (wanted.every((b, i) => this[at + i] === b)) return at;
    }
    return -1;
  },
  lastIndexOf(value, from = this.length, encoding) {
    const wanted = typeof value === 'string' ? bytesOfText(value, encoding) : typeof value === 'number' ? [value & 0xFF] : value;
    for (let at = Math.min(from < 0 ? this.length + from : from, this.length - wanted.length); at >= 0; at--) {
      if (wanted.every((b, i) => this[at + i] === b)) return at;
    }
    return -1;
  },
  includes(value, from, encoding) { return this.indexOf(value, from, encoding) >= 0; },
  swap16() {
    for (let i = 0; i + 1 < this.length; i += 2) [this[i], this[i + 1]] = [this[i + 1], this[i]];
    return this;
  },
  readUIntBE(at, size) { let n = 0; for (let i = 0; i < size; i++) n = n * 256 + this[at + i]; return n; },
  readUIntLE(at, size) { let n = 0; for (let i = size - 1; i >= 0; i--) n = n * 256 + this[at + i]; return n; },
  readIntBE(at, size) { const n = this.readUIntBE(at, size); return n < 2 ** (8 * size - 1) ? n : n - 2 ** (8 * size); },
  readIntLE(at, size) { const n = this.readUIntLE(at, size); return n < 2 ** (8 * size - 1) ? n : n - 2 ** (8 * size); },
  writeUIntBE(n, at, size) { for (let i = size - 1; i >= 0; i--) { this[at + i] = n % 256; n = Math.floor(n / 256); } return at + size; },
  writeUIntLE(n, at, size) { for (let i = 0; i < size; i++) { this[at + i] = n % 256; n = Math.floor(n / 256); } return at + size; },
};
methods.toLocaleString = methods.toString;
// Reads and writes of the fixed sizes, by DataView: readUInt32LE and so on.
for (const [name, type, size] of [['Int8', 'Int8', 1], ['UInt8', 'Uint8', 1], ['Int16', 'Int16', 2], ['UInt16', 'Uint16', 2], ['Int32', 'Int32', 4],
  ['UInt32', 'Uint32', 4], ['Float', 'Float32', 4], ['Double', 'Float64', 8], ['BigInt64', 'BigInt64', 8], ['BigUInt64', 'BigUint64', 8]]) {
  for (const order of size === 1 ? [''] : ['LE', 'BE']) {
    const view = (buffer) => new DataView(buffer.buffer, buffer.byteOffset, buffer.byteLength);
    const read = function (at = 0) { return view(this)['get' + type](at, order === 'LE'); };
    const write = function (value, at = 0) { view(this)['set' + type](at, value, order === 'LE'); return at + size; };
    for (const spelling of new Set([name, name.replace('UInt', 'Uint')])) {
      methods['read' + spelling + order] = read;
      methods['write' + spelling + order] = write;
    }
  }
}
for (const [name, value] of Object.entries(methods)) Object.defineProperty(Buffer.prototype, name, { value, writable: true, configurable: true });

export const constants = { MAX_LENGTH: 2 ** 31 - 1, MAX_STRING_LENGTH: 2 ** 29 - 24 };
export const kMaxLength = constants.MAX_LENGTH;
export const SlowBuffer = Buffer;
export const isUtf8 = (bytes) => { try { new TextDecoder('utf-8', { fatal: true }).decode(bytes); return true; } catch { return false; } };
export const isAscii = (bytes) => new Uint8Array(bytes.buffer ?? bytes).every((b) => b < 0x80);
const { Blob, File, atob, btoa } = globalThis;
export { Blob, File, atob, btoa };
export default { Buffer, SlowBuffer, Blob, File, atob, btoa, constants, kMaxLength, isUtf8, isAscii };
