// node:crypto: hashes, HMACs, random values and key derivation.
import { Buffer } from 'node:buffer';
const { host, randomBytes: random } = globalThis[Symbol.for('esa.runtime')];

const names = { md5: 'MD5', sha1: 'SHA-1', sha224: 'SHA-224', sha256: 'SHA-256', sha384: 'SHA-384', sha512: 'SHA-512' };
const hashName = (name) => {
  const known = names[String(name).toLowerCase().replace('-', '')];
  if (known === undefined) throw new Error(`Digest method not supported: ${name}. The runtime has ${Object.keys(names).join(', ')}.`);
  return known;
};
const bytesOf = (data, encoding) => {
  if (typeof data === 'string') return Buffer.from(data, encoding);
  if (ArrayBuffer.isView(data)) return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  if (data instanceof ArrayBuffer) return new Uint8Array(data);
  throw new TypeError('The data must be a string, a Buffer or a view.');
};
const base64 = (bytes) => Uint8Array.prototype.toBase64.call(bytes);
const call = (operation, args) => Buffer.from(JSON.parse(host.crypto(operation, JSON.stringify(args))).data, 'base64');

class Hash {
  #chunks; #finish; #done = false;
  constructor(finish, chunks = []) { this.#finish = finish; this.#chunks = chunks; }
  update(data, encoding) {
    if (this.#done) throw new Error('Digest already called');
    this.#chunks.push(bytesOf(data, encoding).slice());
    return this;
  }
  digest(encoding) {
    if (this.#done) throw new Error('Digest already called');
    this.#done = true;
    const sum = this.#finish(base64(Buffer.concat(this.#chunks)));
    return encoding === undefined || encoding === 'buffer' ? sum : sum.toString(encoding);
  }
  copy() { return new Hash(this.#finish, [...this.#chunks]); }
}

export const createHash = (name) => { const hash = hashName(name); return new Hash((data) => call('digest', { hash, data })); };
export const createHmac = (name, key, options) => {
  const hash = hashName(name), secret = base64(bytesOf(key, options?.encoding));
  return new Hash((data) => call('sign', { alg: 'HMAC', hash, key: secret, data }));
};
export const hash = (name, data, encoding = 'hex') => createHash(name).update(data).digest(encoding);
export const getHashes = () => Object.keys(names);
export const randomUUID = () => globalThis.crypto.randomUUID();
const later = (callback, f) => {
  if (callback === undefined) return f();
  queueMicrotask(() => { let value; try { value = f(); } catch (error) { return callback(error); } callback(null, value); });
};
export const randomBytes = (size, callback) => later(callback, () => Buffer.from(random(size)));
export const randomFillSync = (buffer, offset = 0, size = buffer.length - offset) => { buffer.set(random(size), offset); return buffer; };
export const randomInt = (least, most, callback) => {
  if (most === undefined || typeof most === 'function') [least, most, callback] = [0, least, most];
  const range = most - least;
  if (!(range > 0 && range <= 2 ** 48)) throw new RangeError('randomInt takes a range of 1 to 2 ** 48.');
  return later(callback, () => {
    for (;;) {
      const n = Buffer.from(random(6)).readUIntBE(0, 6);
      if (n < 2 ** 48 - 2 ** 48 % range) return least + n % range;
    }
  });
};
export const timingSafeEqual = (a, b) => {
  a = bytesOf(a);
  b = bytesOf(b);
  if (a.length !== b.length) throw new RangeError('Input buffers must have the same byte length');
  let different = 0;
  for (let i = 0; i < a.length; i++) different |= a[i] ^ b[i];
  return different === 0;
};
export const pbkdf2Sync = (password, salt, iterations, size, digest) => call('derive', {
  alg: 'PBKDF2', hash: hashName(digest), key: base64(bytesOf(password)), salt: base64(bytesOf(salt)), iterations, length: size * 8,
});
export const pbkdf2 = (password, salt, iterations, size, digest, callback) => later(callback, () => pbkdf2Sync(password, salt, iterations, size, digest));
export const hkdfSync = (digest, key, salt, info, size) => {
  const made = call('derive', { alg: 'HKDF', hash: hashName(digest), key: base64(bytesOf(key)), salt: base64(bytesOf(salt)), info: base64(bytesOf(info)), length: size * 8 });
  return made.buffer.slice(made.byteOffset, made.byteOffset + made.length);
};
export const webcrypto = globalThis.crypto;
export const subtle = globalThis.crypto.subtle;
export const getRandomValues = (array) => globalThis.crypto.getRandomValues(array);
export default { createHash, createHmac, hash, getHashes, randomUUID, randomBytes, randomFillSync, randomInt, timingSafeEqual, pbkdf2, pbkdf2Sync, hkdfSync, webcrypto, subtle, getRandomValues };
