// Blob, File, FormData and its multipart form.

const blobType = (type) => {
  type = String(type);
  return /[^\x20-\x7E]/.test(type) ? '' : type.toLowerCase();
};

let bytesOfBlob;
class Blob {
  #bytes; #type;
  constructor(parts = undefined, options = undefined) {
    const list = [];
    if (parts !== undefined) {
      if (typeof parts !== 'object' && typeof parts !== 'function' || parts === null) throw new TypeError('Blob takes a list of parts.');
      for (const part of parts) list.push(part instanceof Blob || asBytes(part) !== undefined ? part : textArgument(part));
    }
    if (options !== undefined && options !== null && typeof options !== 'object' && typeof options !== 'function') throw new TypeError('The options of a Blob are an object.');
    const endings = options?.endings === undefined ? 'transparent' : String(options.endings), { type } = options ?? {};
    if (endings !== 'transparent' && endings !== 'native') throw new TypeError(`endings is transparent or native, not ${endings}.`);
    this.#type = blobType(type === undefined ? '' : type);
    this.#bytes = concatBytes([...list.map((part) => part instanceof Blob ? part.#bytes : asBytes(part)
      ?? encodeUTF8(endings === 'native' ? part.replace(/\r\n?/g, '\n') : part)), new Uint8Array(0)]);
  }
  get size() { return this.#bytes.length; }
  get type() { return this.#type; }
  async text() { return decodeUTF8(this.#bytes); }
  async arrayBuffer() { return this.#bytes.slice().buffer; }
  async bytes() { return this.#bytes.slice(); }
  slice(start = 0, end = this.size, type = '') {
    const part = new Blob();
    part.#type = blobType(type);
    part.#bytes = this.#bytes.slice(start, end);
    return part;
  }
  stream() { return new Response(this.#bytes).body ?? new Response('').body; }
  static { bytesOfBlob = (blob) => blob.#bytes; }
}
globalClass(Blob);

class File extends Blob {
  #name; #modified;
  constructor(parts, name, options = {}) {
    if (arguments.length < 2) throw new TypeError('File needs its parts and a name.');
    super(parts, options);
    this.#name = String(name);
    this.#modified = options?.lastModified === undefined ? Date.now() : Math.trunc(options.lastModified);
  }
  get name() { return this.#name; }
  get lastModified() { return this.#modified; }
  get webkitRelativePath() { return ''; }
}
globalClass(File);

class FormData {
  #list = [];
  constructor(form) {
    if (form !== undefined) throw new TypeError('FormData takes no form: there are no documents here.');
  }
  #entry(name, value, filename) {
    if (!(value instanceof Blob)) {
      if (filename !== undefined) throw new TypeError('Only a Blob or File has a file name.');
      return [String(name).toWellFormed(), String(value).toWellFormed()];
    }
    if (filename !== undefined || !(value instanceof File)) {
      value = new File([value], filename ?? 'blob', { type: value.type, lastModified: value.lastModified });
    }
    return [String(name).toWellFormed(), value];
  }
  append(name, value, filename) { need(arguments, 2, 'append'); this.#list.push(this.#entry(name, value, filename)); }
  set(name, value, filename) {
    need(arguments, 2, 'set');
    const entry = this.#entry(name, value, filename), at = this.#list.findIndex((p) => p[0] === entry[0]);
    if (at < 0) this.#list.push(entry);
    else this.#list = this.#list.filter((p, i) => i <= at || p[0] !== entry[0]).map((p, i) => i === at ? entry : p);
  }
  delete(name) { name = String(name); this.#list = this.#list.filter((p) => p[0] !== name); }
  get(name) {
    name = String(name);
    for (const p of this.#list) if (p[0] === name) return p[1];
    return null;
  }
  getAll(name) { name = String(name); return this.#list.filter((p) => p[0] === name).map((p) => p[1]); }
  has(name) { name = String(name); return this.#list.some((p) => p[0] === name); }
  static { pairIterators(this, (form) => form.#list); }
}
globalClass(FormData);

const multipartName = (text) => text.replace(/\r\n|\r|\n/g, '\r\n').replace(/\r\n/g, '%0D%0A').replace(/"/g, '%22');

const multipartFile = (text) => text.replace(/\r/g, '%0D').replace(/\n/g, '%0A').replace(/"/g, '%22');

// encodeMultipart returns a form's bytes and its boundary.
const encodeMultipart = (form) => {
  const boundary = '----esa-form-' + randomHex(16), chunks = [];
  for (const [name, value] of form) {
    let head = `--${boundary}\r\nContent-Disposition: form-data; name="${multipartName(name)}"`;
    if (typeof value === 'string') {
      chunks.push(encodeUTF8(`${head}\r\n\r\n${value.replace(/\r\n|\r|\n/g, '\r\n')}\r\n`));
      continue;
    }
    head += `; filename="${multipartFile(value.name)}"\r\nContent-Type: ${value.type || 'application/octet-stream'}\r\n\r\n`;
    chunks.push(encodeUTF8(head), bytesOfBlob(value), encodeUTF8('\r\n'));
  }
  chunks.push(encodeUTF8(`--${boundary}--\r\n`));
  return [concatBytes(chunks), boundary];
};

const indexOfBytes = (bytes, wanted, from) => {
  for (let at = bytes.indexOf(wanted[0], from); at >= 0 && at + wanted.length <= bytes.length; at = bytes.indexOf(wanted[0], at + 1)) {
    let i = 1;
    while (i < wanted.length && bytes[at + i] === wanted[i]) i++;
    if (i === wanted.length) return at;
  }
  return -1;
};

const decodeMultipart = (bytes, boundary) => {
  const form = new FormData(), delimiter = encodeUTF8('--' + boundary), gap = encodeUTF8('\r\n\r\n');
  let at = indexOfBytes(bytes, delimiter, 0);
  for (;;) {
    if (at < 0) throw new TypeError('The body is no complete multipart form.');
    at += delimiter.length;
    if (bytes[at] === 0x2D && bytes[at + 1] === 0x2D) return form;
    const head = indexOfBytes(bytes, gap, at), next = head < 0 ? -1 : indexOfBytes(bytes, delimiter, head + gap.length);
    if (next < 0) throw new TypeError('The body is no complete multipart form.');
    addPart(form, decodeUTF8(bytes.subarray(at, head)), bytes.slice(head + gap.length, next - 2));
    at = next;
  }
};

const addPart = (form, head, content) => {
  const disposition = /^content-disposition:\s*form-data\s*;(.*)$/im.exec(head)?.[1] ?? '';
  const name = /(?:^|[;\s])name="([^"]*)"/i.exec(disposition)?.[1], filename = /(?:^|[;\s])filename="([^"]*)"/i.exec(disposition)?.[1];
  if (name === undefined) throw new TypeError('A part of the multipart form has no name.');
  const plain = (text) => text.replace(/%0D/gi, '\r').replace(/%0A/gi, '\n').replace(/%22/g, '"');
  if (filename === undefined) form.append(plain(name), decodeUTF8(content));
  else form.append(plain(name), new File([content], plain(filename), { type: /^content-type:\s*(.*?)\s*$/im.exec(head)?.[1] ?? 'text/plain' }));
};
