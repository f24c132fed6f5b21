// fetch, EdgeKV and cache.
