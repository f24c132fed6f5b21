// TextEncoder, TextDecoder, atob and btoa.

class TextEncoder {
  get encoding() { return 'utf-8'; }
  encode(text = '') { return encodeUTF8(String(text)); }
  encodeInto(text, into) {
    text = textArgument(text);
    if (!(into instanceof Uint8Array)) throw new TypeError('TextEncoder.encodeInto takes a Uint8Array.');
    let read = 0, written = 0;
    for (const c of text) {
      const bytes = c.charCodeAt(0) < 0x80 ? 1 : c.length === 2 ? 4 : c.charCodeAt(0) < 0x800 ? 2 : 3;
      if (written + bytes > into.length) break;
      read += c.length;
      written += bytes;
    }
    if (written > 0) into.set(encodeUTF8(text.slice(0, read)));
    return { read, written };
  }
}
globalClass(TextEncoder);

// isUnfinished reports whether bytes from a leading one on may become a character
// of UTF-8 once more have come.
const isUnfinished = (bytes) => {
  const [lead, second] = bytes, size = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4 || bytes.length >= size) return false;
  if (second === undefined) return true;
  const from = lead === 0xE0 ? 0xA0 : lead === 0xF0 ? 0x90 : 0x80, to = lead === 0xED ? 0x9F : lead === 0xF4 ? 0x8F : 0xBF;
  return second >= from && second <= to;
};

class TextDecoder {
  #encoding = 'utf-8'; #fatal; #ignoreBOM; #held = null; #begun = false; #shown = 0;
  constructor(label = 'utf-8', options = {}) {
    label = String(label).replace(/^[\t\n\f\r ]+|[\t\n\f\r ]+$/g, '').toLowerCase();
    if (label !== 'utf-8' && label !== 'utf8') {
      this.#encoding = /^[\x21-\x7E]+$/.test(label) ? host.decode('', label, 'name') : '';
      if (!this.#encoding) throw new RangeError(`The encoding label "${label}" is unknown.`);
    }
    this.#fatal = !!options?.fatal;
    this.#ignoreBOM = !!options?.ignoreBOM;
  }
  get encoding() { return this.#encoding; }
  get fatal() { return this.#fatal; }
  get ignoreBOM() { return this.#ignoreBOM; }
  decode(input, options) {
    let bytes = input === undefined ? new Uint8Array(0) : asBytes(input);
    if (bytes === undefined) throw new TypeError('TextDecoder.decode takes an ArrayBuffer or a view of one.');
    if (this.#held) { bytes = concatBytes([this.#held, bytes]); this.#held = null; }
    if (this.#encoding === 'iso-2022-jp') return this.#decodeShifted(bytes, options);
    if (options?.stream) {
      const whole = this.#wholeLength(bytes);
      this.#held = bytes.slice(whole);
      bytes = bytes.subarray(0, whole);
    }
    let text = bytes.length === 0 ? '' : host.decode(bytes.toBase64(), this.#encoding, this.#fatal ? 'fatal' : '');
    if (!this.#begun && text !== '') {
      this.#begun = true;
      if (!this.#ignoreBOM && text.charCodeAt(0) === 0xFEFF && this.#encoding.startsWith('utf-')) text = text.slice(1);
    }
    if (!options?.stream) this.#begun = false;
    return text;
  }
  // wholeLength is how many bytes can be decoded before more have come.
  #wholeLength(bytes) {
    const n = bytes.length;
    if (this.#encoding === 'utf-8') {
      for (let back = 1; back <= Math.min(3, n); back++) {
        const b = bytes[n - back];
        if (b >= 0xC0) return isUnfinished(bytes.subarray(n - back)) ? n - back : n;
        if (b < 0x80) return n;
      }
      return n;
    }
    if (this.#encoding.startsWith('utf-16')) {
      const even = n - n % 2;
      const high = even > 0 ? bytes[this.#encoding === 'utf-16le' ? even - 1 : even - 2] : 0;
      return high >= 0xD8 && high < 0xDC ? even - 2 : even;
    }
    return /^(gb|big5|euc-|shift_jis)/.test(this.#encoding) ? Number(host.decode(bytes.toBase64(), this.#encoding, 'length')) : n;
  }
  // decodeShifted decodes an encoding in which bytes mean what those before them
  // say: all are kept, and what is new of their text is returned.
  #decodeShifted(bytes, options) {
    const text = host.decode(bytes.toBase64(), this.#encoding, options?.stream ? 'begun' : this.#fatal ? 'fatal' : '');
    const fresh = text.slice(this.#shown);
    this.#held = options?.stream ? bytes.slice() : null;
    this.#shown = options?.stream ? text.length : 0;
    return fresh;
  }
}
globalClass(TextDecoder);

define('btoa', function btoa(text) {
  text = String(text);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c > 255) throw new DOMException('btoa takes characters up to U+00FF only.', 'InvalidCharacterError');
    bytes[i] = c;
  }
  return bytes.toBase64();
});

define('atob', function atob(text) {
  text = String(text).replace(/[\t\n\f\r ]+/g, '');
  if (text.length % 4 === 0) text = text.replace(/={1,2}$/, '');
  if (text.length % 4 === 1 || /[^A-Za-z0-9+/]/.test(text)) {
    throw new DOMException('The string is not correctly encoded.', 'InvalidCharacterError');
  }
  return latin1(Uint8Array.fromBase64(text));
});

// latin1 makes a character of each byte.
const latin1 = (bytes) => {
  let text = '';
  for (let i = 0; i < bytes.length; i += 4096) text += String.fromCharCode.apply(null, bytes.subarray(i, i + 4096));
  return text;
};
