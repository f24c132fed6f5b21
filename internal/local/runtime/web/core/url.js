// URL and URLSearchParams. The host parses URLs.

const formEscapes = /[!'()~]|%20/g;
const formEncode = (text) => encodeURIComponent(text.toWellFormed())
  .replace(formEscapes, (c) => c === '%20' ? '+' : '%' + c.charCodeAt(0).toString(16).toUpperCase());
const formDecode = (text) => {
  text = text.replaceAll('+', ' ');
  if (!text.includes('%')) return text;
  try { return decodeURIComponent(text); } catch (error) { return percentDecode(text); }
};
// percentDecode decodes what decodeURIComponent refuses: stray percent signs stay,
// and what is no UTF-8 becomes U+FFFD.
const percentDecode = (text) => {
  const bytes = encodeUTF8(text), out = [];
  for (let i = 0; i < bytes.length; i++) {
    const hex = bytes[i] === 0x25 ? String.fromCharCode(bytes[i + 1] ?? 0, bytes[i + 2] ?? 0) : '';
    if (/^[0-9A-Fa-f]{2}$/.test(hex)) { out.push(parseInt(hex, 16)); i += 2; } else out.push(bytes[i]);
  }
  return decodeUTF8(new Uint8Array(out));
};

let bindParams, readParams;
class URLSearchParams {
  #list = []; #changed = null;
  constructor(init = '') {
    if (init === null || (typeof init !== 'object' && typeof init !== 'function')) {
      init = textArgument(init);
      this.#read(init.startsWith('?') ? init.slice(1) : init);
    } else if (init[Symbol.iterator] !== undefined && init[Symbol.iterator] !== null) {
      for (const pair of init) {
        const both = typeof pair === 'object' && pair !== null ? Array.from(pair) : [];
        if (both.length !== 2) throw new TypeError('URLSearchParams takes pairs of a name and a value.');
        this.#list.push([textArgument(both[0]), textArgument(both[1])]);
      }
    } else {
      const record = new Map(); // names that become the same are one
      for (const name of Reflect.ownKeys(init)) {
        if (!Object.getOwnPropertyDescriptor(init, name)?.enumerable) continue;
        record.set(textArgument(name), textArgument(init[name]));
      }
      this.#list = [...record];
    }
  }
  #read(query) {
    this.#list = [];
    for (const part of query.split('&')) {
      if (part === '') continue;
      const at = part.indexOf('=');
      this.#list.push(at < 0 ? [formDecode(part), ''] : [formDecode(part.slice(0, at)), formDecode(part.slice(at + 1))]);
    }
  }
  append(name, value) {
    need(arguments, 2, 'append');
    this.#list.push([textArgument(name), textArgument(value)]);
    this.#changed?.();
  }
  delete(name, value) {
    need(arguments, 1, 'delete');
    name = textArgument(name);
    if (value !== undefined) value = textArgument(value);
    this.#list = this.#list.filter((p) => p[0] !== name || (value !== undefined && p[1] !== value));
    this.#changed?.();
  }
  get(name) {
    need(arguments, 1, 'get');
    name = textArgument(name);
    for (const p of this.#list) if (p[0] === name) return p[1];
    return null;
  }
  getAll(name) { need(arguments, 1, 'getAll'); name = textArgument(name); return this.#list.filter((p) => p[0] === name).map((p) => p[1]); }
  has(name, value) {
    need(arguments, 1, 'has');
    name = textArgument(name);
    if (value !== undefined) value = textArgument(value);
    return this.#list.some((p) => p[0] === name && (value === undefined || p[1] === value));
  }
  set(name, value) {
    need(arguments, 2, 'set');
    name = textArgument(name);
    value = textArgument(value);
    const at = this.#list.findIndex((p) => p[0] === name);
    if (at < 0) this.#list.push([name, value]);
    else this.#list = this.#list.filter((p, i) => i <= at || p[0] !== name).map((p, i) => i === at ? [name, value] : p);
    this.#changed?.();
  }
  sort() { this.#list.sort((a, b) => a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : 0); this.#changed?.(); }
  get size() { return this.#list.length; }
  toString() { return this.#list.map((p) => formEncode(p[0]) + '=' + formEncode(p[1])).join('&'); }
  static {
    pairIterators(this, (params) => params.#list);
    bindParams = (params, changed) => { params.#changed = changed; };
    readParams = (params, query) => params.#read(query);
  }
}
globalClass(URLSearchParams);

const HREF = 0, PROTOCOL = 1, USERNAME = 2, PASSWORD = 3, HOSTNAME = 4, PORT = 5, PATHNAME = 6, SEARCH = 7, HASH = 8, ORIGIN = 9;
class URL {
  #parts; #params = null;
  constructor(url, base) {
    const parts = host.url(String(url), base === undefined ? '' : String(base), '', '');
    if (!parts) throw new TypeError(`Invalid URL: ${JSON.stringify(String(url))}` + (base === undefined ? '' : ` with base ${JSON.stringify(String(base))}`));
    this.#parts = parts.split('\n');
  }
  static canParse(url, base) { return host.url(String(url), base === undefined ? '' : String(base), '', '') !== ''; }
  static parse(url, base) { try { return new URL(url, base); } catch (error) { return null; } }
  #set(part, value) {
    const parts = host.url(this.#parts[HREF], '', part, String(value));
    if (parts) this.#parts = parts.split('\n');
  }
  get href() { return this.#parts[HREF]; }
  set href(value) {
    this.#parts = new URL(value).#parts;
    if (this.#params) readParams(this.#params, this.search.slice(1));
  }
  get origin() { return this.#parts[ORIGIN]; }
  get protocol() { return this.#parts[PROTOCOL]; }
  set protocol(value) { this.#set('protocol', value); }
  get username() { return this.#parts[USERNAME]; }
  set username(value) { this.#set('username', value); }
  get password() { return this.#parts[PASSWORD]; }
  set password(value) { this.#set('password', value); }
  get host() { return this.#parts[HOSTNAME] + (this.#parts[PORT] && ':' + this.#parts[PORT]); }
  set host(value) { this.#set('host', value); }
  get hostname() { return this.#parts[HOSTNAME]; }
  set hostname(value) { this.#set('hostname', value); }
  get port() { return this.#parts[PORT]; }
  set port(value) { this.#set('port', value); }
  get pathname() { return this.#parts[PATHNAME]; }
  set pathname(value) { this.#set('pathname', value); }
  get search() { return this.#parts[SEARCH]; }
  set search(value) {
    this.#set('search', value);
    if (this.#params) readParams(this.#params, this.search.slice(1));
  }
  get hash() { return this.#parts[HASH]; }
  set hash(value) { this.#set('hash', value); }
  get searchParams() {
    if (!this.#params) {
      this.#params = new URLSearchParams(this.#parts[SEARCH]);
      bindParams(this.#params, () => this.#set('search', this.#params.toString()));
    }
    return this.#params;
  }
  toString() { return this.href; }
  toJSON() { return this.href; }
}
globalClass(URL);
