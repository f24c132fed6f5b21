package runtime

import (
	"container/list"
	"context"
	"net/http"
	"sync"
	"time"
)

// MemoryCache keeps responses in memory and drops those that were used longest
// ago. It is safe for concurrent use.
type MemoryCache struct {
	now  func() time.Time
	most int64 // bytes

	mu    sync.Mutex
	size  int64
	order *list.List // of *cached, the last used in front
	byURL map[string]*list.Element
}

type cached struct {
	url      string
	response *CachedResponse
}

// NewMemoryCache returns a cache of so many bytes.
func NewMemoryCache(most int64, now func() time.Time) *MemoryCache {
	return &MemoryCache{now: now, most: most, order: list.New(), byURL: map[string]*list.Element{}}
}

// Get returns a response that is still good.
func (c *MemoryCache) Get(_ context.Context, url string) (*CachedResponse, bool, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	at := c.byURL[url]
	if at == nil {
		return nil, false, nil
	}
	r := at.Value.(*cached).response
	if !c.now().Before(r.Expires) {
		c.drop(at)
		return nil, false, nil
	}
	c.order.MoveToFront(at)
	return r, true, nil
}

// Put keeps a response; one that is larger than the cache is not kept.
func (c *MemoryCache) Put(_ context.Context, url string, r *CachedResponse) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if at := c.byURL[url]; at != nil {
		c.drop(at)
	}
	c.size += r.weight()
	c.byURL[url] = c.order.PushFront(&cached{url, r})
	for c.size > c.most {
		c.drop(c.order.Back())
	}
	return nil
}

// Delete drops a response.
func (c *MemoryCache) Delete(_ context.Context, url string) (bool, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	at := c.byURL[url]
	if at == nil {
		return false, nil
	}
	good := c.now().Before(at.Value.(*cached).response.Expires)
	c.drop(at)
	return good, nil
}

// Purge drops the responses that match, by their URLs and headers, and returns
// how many.
func (c *MemoryCache) Purge(match func(url string, header http.Header) bool) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	dropped := 0
	for url, at := range c.byURL {
		if match(url, at.Value.(*cached).response.Header) {
			c.drop(at)
			dropped++
		}
	}
	return dropped
}

func (c *MemoryCache) drop(at *list.Element) {
	one := c.order.Remove(at).(*cached)
	delete(c.byURL, one.url)
	c.size -= one.response.weight()
}

// weight is about how many bytes a response takes.
func (r *CachedResponse) weight() int64 {
	n := len(r.Body) + 512
	for name, values := range r.Header {
		for _, v := range values {
			n += len(name) + len(v)
		}
	}
	return int64(n)
}
