// Headers. Those that come from outside are lines of name and value, taken apart
// when one is asked for.

// Names and short values repeat from request to request, and checking one takes
// longer than finding it.
const remember = (check) => {
  const known = new Map();
  return (text) => {
    const found = known.get(text);
    if (found !== undefined) return found;
    const checked = check(String(text));
    if (typeof text === 'string' && text.length < 64) {
      if (known.size >= 512) known.clear();
      known.set(text, checked);
    }
    return checked;
  };
};
const headerName = remember((name) => {
  if (!/^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/.test(name)) throw new TypeError(`Invalid header name: "${name}"`);
  return name.toLowerCase();
});
const headerValue = remember((value) => {
  const trimmed = value.replace(/^[\t\n\r ]+|[\t\n\r ]+$/g, '');
  if (/[\0\r\n]|[^\0-\xFF]/.test(trimmed)) throw new TypeError(`Invalid header value: ${JSON.stringify(value)}`);
  return trimmed;
});

let headersOfLines, linesOfHeaders, freezeHeaders, setContentType;
class Headers {
  #lines = null; #map = null; #sorted = null; #frozen = false;
  constructor(init) {
    if (init === undefined) return;
    if (init === null || (typeof init !== 'object' && typeof init !== 'function')) throw new TypeError('Headers takes a record, a list of pairs or Headers.');
    if (#map in init && init[Symbol.iterator] === Headers.prototype[Symbol.iterator]) {
      if (init.#map === null) this.#lines = init.#lines;
      else this.#map = new Map(Array.from(init.#map, ([name, values]) => [name, values.slice()]));
      return;
    }
    if (init[Symbol.iterator] !== undefined && init[Symbol.iterator] !== null) {
      for (const pair of init) {
        const both = typeof pair === 'object' && pair !== null ? Array.from(pair) : [];
        if (both.length !== 2) throw new TypeError('Headers takes pairs of a name and a value.');
        this.append(both[0], both[1]);
      }
      return;
    }
    for (const name of Reflect.ownKeys(init)) {
      if (!Object.prototype.propertyIsEnumerable.call(init, name)) continue;
      if (typeof name === 'symbol') throw new TypeError('Header names are strings.');
      this.append(name, init[name]);
    }
  }
  #all() {
    if (this.#map !== null) return this.#map;
    const map = this.#map = new Map();
    if (this.#lines) {
      const parts = this.#lines.split('\n');
      for (let i = 0; i + 1 < parts.length; i += 2) {
        const values = map.get(parts[i]);
        if (values) values.push(parts[i + 1]); else map.set(parts[i], [parts[i + 1]]);
      }
    }
    this.#lines = null;
    return map;
  }
  #change() {
    if (this.#frozen) throw new TypeError('These headers are immutable: make a new Response or Request with a copy of them.');
    this.#sorted = null;
    return this.#all();
  }
  append(name, value) {
    name = headerName(name);
    value = headerValue(value);
    const all = this.#change(), values = all.get(name);
    if (values) values.push(value); else all.set(name, [value]);
  }
  set(name, value) {
    name = headerName(name);
    value = headerValue(value);
    this.#change().set(name, [value]);
  }
  delete(name) {
    name = headerName(name);
    this.#change().delete(name);
  }
  get(name) {
    const values = this.#all().get(headerName(name));
    return values === undefined ? null : values.join(', ');
  }
  has(name) { return this.#all().has(headerName(name)); }
  getSetCookie() { return (this.#all().get('set-cookie') ?? []).slice(); }
  #list() {
    if (this.#sorted !== null) return this.#sorted;
    const list = [];
    for (const [name, values] of this.#all()) {
      if (name === 'set-cookie') for (const value of values) list.push([name, value]);
      else list.push([name, values.join(', ')]);
    }
    return this.#sorted = list.sort((a, b) => a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : 0);
  }
  static {
    pairIterators(this, (headers) => headers.#list());
    headersOfLines = (lines) => {
      const headers = new Headers();
      headers.#lines = lines;
      return headers;
    };
    linesOfHeaders = (headers) => {
      if (headers.#map === null) return headers.#lines ?? '';
      let lines = '';
      for (const [name, values] of headers.#map) for (const value of values) lines += name + '\n' + value + '\n';
      return lines;
    };
    // setContentType sets a type that needs no check, unless there is one.
    setContentType = (headers, type) => {
      const all = headers.#all();
      if (!all.has('content-type')) all.set('content-type', [type]);
    };
    freezeHeaders = (headers) => { headers.#frozen = true; return headers; };
  }
}
globalClass(Headers);
