package runtime

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// maxKeyBytes is the length of a key that EdgeKV takes (esa-facts 2.4).
const maxKeyBytes = 512

// storageCall counts a call of EdgeKV or cache and runs it in its turn.
func (j *job) storageCall(kv bool, call func(ctx context.Context) (value, error)) (task, error) {
	if err := j.count(kv); err != nil {
		return nil, err
	}
	return simple(func() (value, error) {
		leave, err := j.slot()
		if err != nil {
			return value{}, err
		}
		defer leave()
		return call(j.ctx)
	}), nil
}

func (j *job) kvCall(key string, call func(ctx context.Context) (value, error)) (task, error) {
	switch {
	case j.host.KV == nil:
		return nil, errors.New("this edge has no EdgeKV")
	case key == "":
		return nil, errors.New("EdgeKV: the key is empty")
	case len(key) > maxKeyBytes:
		return nil, fmt.Errorf("EdgeKV: the key is longer than %d bytes", maxKeyBytes)
	}
	return j.storageCall(true, call)
}

// kvGet returns a value as bytes, or as a text if v is one.
func (j *job) kvGet(c call) (task, error) {
	namespace, key, v := c.first, c.second, c.value
	return j.kvCall(key, func(ctx context.Context) (value, error) {
		got, ok, err := j.host.KV.Get(ctx, namespace, key)
		switch {
		case err != nil || !ok:
			return value{}, err
		case v.kind == kindText:
			return textValue(validText(got)), nil
		}
		return bytesValue(got), nil
	})
}

func (j *job) kvPut(c call) (task, error) {
	namespace, key, v := c.first, c.second, c.value
	data, err := v.bytes()
	if err != nil {
		return nil, err
	}
	return j.kvCall(key, func(ctx context.Context) (value, error) {
		return value{}, j.host.KV.Put(ctx, namespace, key, data)
	})
}

func (j *job) kvDelete(c call) (task, error) {
	namespace, key := c.first, c.second
	return j.kvCall(key, func(ctx context.Context) (value, error) {
		deleted, err := j.host.KV.Delete(ctx, namespace, key)
		if err != nil || !deleted {
			return value{}, err
		}
		return textValue("deleted"), nil
	})
}

func (j *job) cacheCall(url string, call func(ctx context.Context) (value, error)) (task, error) {
	if j.host.Cache == nil {
		return nil, errors.New("this edge has no cache")
	}
	if !strings.HasPrefix(url, "http://") {
		return nil, fmt.Errorf("cache: the key must be an http:// URL, not %s", url)
	}
	return j.storageCall(false, call)
}

// cacheGet returns lines of status and headers, and a body.
func (j *job) cacheGet(c call) (task, error) {
	url := c.first
	var found *CachedResponse
	run, err := j.cacheCall(url, func(ctx context.Context) (value, error) {
		r, ok, err := j.host.Cache.Get(ctx, url)
		if err != nil || !ok {
			return value{}, err
		}
		found = r
		return textValue(strconv.Itoa(r.Status) + "\n" + flatten(r.Header)), nil
	})
	if err != nil {
		return nil, err
	}
	return func() (value, *body, error) {
		head, _, err := run()
		if err != nil || found == nil {
			return value{}, nil, err
		}
		return head, &body{Reader: strings.NewReader(string(found.Body)), length: int64(len(found.Body))}, nil
	}, nil
}

// cachePut stores a response: lines of status and headers, and the bytes.
func (j *job) cachePut(c call) (task, error) {
	url, head, v := c.first, c.second, c.value
	status, lines, _ := strings.Cut(head, "\n")
	r := &CachedResponse{}
	var err error
	if r.Status, err = strconv.Atoi(status); err != nil {
		return nil, fmt.Errorf("cache: status %q: %w", status, err)
	}
	if r.Header, err = parseHeader(lines); err != nil {
		return nil, err
	}
	if r.Body, err = v.bytes(); err != nil {
		return nil, err
	}
	ttl := cacheTTL(r.Header)
	r.Expires = j.cfg.Now().Add(ttl)
	return j.cacheCall(url, func(ctx context.Context) (value, error) {
		if ttl <= 0 {
			return value{}, nil // it would be stale at once
		}
		return value{}, j.host.Cache.Put(ctx, url, r)
	})
}

func (j *job) cacheDelete(c call) (task, error) {
	url := c.first
	return j.cacheCall(url, func(ctx context.Context) (value, error) {
		deleted, err := j.host.Cache.Delete(ctx, url)
		if err != nil || !deleted {
			return value{}, err
		}
		return textValue("deleted"), nil
	})
}

// defaultTTL is for responses that say nothing of how long they are good; the
// official development server has it too.
const defaultTTL = time.Hour

// cacheTTL is how long Cache-Control lets a response be kept.
func cacheTTL(h http.Header) time.Duration {
	ttl, shared := defaultTTL, false
	for directive := range strings.SplitSeq(strings.ToLower(strings.Join(h["Cache-Control"], ",")), ",") {
		name, text, _ := strings.Cut(strings.TrimSpace(directive), "=")
		seconds, err := strconv.Atoi(strings.Trim(strings.TrimSpace(text), `"`))
		seconds = min(seconds, math.MaxInt32) // as RFC 9111 has it, section 1.2.2
		switch {
		case name == "no-store", name == "private", name == "no-cache":
			return 0
		case err != nil:
		case name == "s-maxage":
			ttl, shared = time.Duration(seconds)*time.Second, true
		case name == "max-age" && !shared:
			ttl = time.Duration(seconds) * time.Second
		}
	}
	return ttl
}
