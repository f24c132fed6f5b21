// node:string_decoder.
import { Buffer } from 'node:buffer';
export class StringDecoder {
  #decoder = null; #held = Buffer.alloc(0); #size;
  constructor(encoding = 'utf8') {
    this.encoding = encoding.toLowerCase().replace('utf-8', 'utf8');
    if (this.encoding === 'utf8') this.#decoder = new TextDecoder('utf-8', { ignoreBOM: true });
    if (/^(utf-?16le|ucs-?2)$/.test(this.encoding)) this.#decoder = new TextDecoder('utf-16le', { ignoreBOM: true });
    this.#size = this.encoding.startsWith('base64') ? 3 : 1;
  }
  write(bytes) {
    if (typeof bytes === 'string') return bytes;
    if (this.#decoder) return this.#decoder.decode(bytes, { stream: true });
    const all = Buffer.concat([this.#held, bytes]), whole = all.length - all.length % this.#size;
    this.#held = all.subarray(whole);
    return all.toString(this.encoding, 0, whole);
  }
  end(bytes) {
    const text = bytes === undefined ? '' : this.write(bytes);
    if (this.#decoder) return text + this.#decoder.decode();
    const rest = this.#held.toString(this.encoding);
    this.#held = Buffer.alloc(0);
    return text + rest;
  }
}
export default { StringDecoder };
