// node:path, with the rules of POSIX.
export const sep = '/', delimiter = ':';
export const normalize = (path) => {
  const absolute = path.startsWith('/'), parts = [];
  for (const part of path.split('/')) {
    if (part === '' || part === '.') continue;
    if (part !== '..') parts.push(part);
    else if (parts.length > 0 && parts.at(-1) !== '..') parts.pop();
    else if (!absolute) parts.push('..');
  }
  const tail = path.endsWith('/') && parts.length > 0 ? '/' : '';
  return (absolute ? '/' : '') + parts.join('/') + tail || '.';
};
export const join = (...parts) => normalize(parts.filter((p) => p !== '').join('/'));
export const isAbsolute = (path) => path.startsWith('/');
export const resolve = (...parts) => {
  let path = '';
  for (const part of parts.toReversed()) {
    if (part === '') continue;
    path = path === '' ? part : part + '/' + path;
    if (isAbsolute(part)) break;
  }
  path = normalize(isAbsolute(path) ? path : '/' + path);
  return path.length > 1 && path.endsWith('/') ? path.slice(0, -1) : path;
};
export const dirname = (path) => {
  const trimmed = path.replace(/\/+$/, ''), at = trimmed.lastIndexOf('/');
  if (at < 0) return trimmed === '' && path !== '' ? '/' : '.';
  return trimmed.slice(0, at).replace(/\/+$/, '') || '/';
};
export const basename = (path, suffix = '') => {
  const base = path.replace(/\/+$/, '').split('/').at(-1);
  return suffix !== '' && base !== suffix && base.endsWith(suffix) ? base.slice(0, -suffix.length) : base;
};
export const extname = (path) => { const base = basename(path), at = base.lastIndexOf('.'); return at > 0 ? base.slice(at) : ''; };
export const parse = (path) => {
  const base = basename(path), ext = extname(path), root = isAbsolute(path) ? '/' : '';
  const dir = dirname(path);
  return { root, dir: dir === '.' && !path.startsWith('.') ? '' : dir, base, ext, name: ext === '' ? base : base.slice(0, -ext.length) };
};
export const format = ({ dir, root = '', base, name = '', ext = '' }) => {
  const file = base ?? name + (ext === '' || ext.startsWith('.') ? ext : '.' + ext);
  if (dir === undefined || dir === '') return root + file;
  return dir === root ? dir + file : dir + '/' + file;
};
export const relative = (from, to) => {
  const a = resolve(from).split('/').filter(Boolean), b = resolve(to).split('/').filter(Boolean);
  let same = 0;
  while (same < a.length && a[same] === b[same]) same++;
  return [...a.slice(same).map(() => '..'), ...b.slice(same)].join('/');
};
export const toNamespacedPath = (path) => path;
export const posix = { sep, delimiter, normalize, join, isAbsolute, resolve, dirname, basename, extname, parse, format, relative, toNamespacedPath };
posix.posix = posix;
export default posix;
