package fastpath

import (
	"bytes"
	"strings"
	"time"
)

// Request is a plain request: a GET of HTTP/1.1 without a body.
type Request struct {
	Host        string // as it was sent: may have a port
	Path, Query string // nothing in them is escaped
	// Headers that the log keeps; empty if there is none.
	Referer, UserAgent, RequestedWith string
	ClientIP                          string
	Size                              int64     // of its head, in bytes
	Began                             time.Time // when a Handler was asked, if it keeps that here
}

// read reads the head of a plain request from the beginning of what a connection
// sent, and returns its size. It reports false for everything else: what is not
// plain, not whole, or wrong. The texts of the last request are used again where they
// are the same, as they mostly are.
func (r *Request) read(from []byte) (size int, ok bool) {
	rest, ok := bytes.CutPrefix(from, []byte("GET "))
	if !ok {
		return 0, false
	}
	end := bytes.IndexByte(rest, ' ')
	if end < 1 || rest[0] != '/' {
		return 0, false
	}
	path, query, _ := bytes.Cut(rest[:end], []byte("?"))
	if !all(path, inPath) || !all(query, inQuery) || bytes.Contains(path, []byte("//")) || bytes.Contains(path, []byte("/.")) {
		return 0, false
	}
	if rest, ok = bytes.CutPrefix(rest[end:], []byte(" HTTP/1.1\r\n")); !ok {
		return 0, false
	}
	keep(&r.Path, path)
	keep(&r.Query, query)
	var host, referer, agent, with []byte
	for {
		line, after, found := bytes.Cut(rest, []byte("\r\n"))
		if !found {
			return 0, false
		}
		rest = after
		if len(line) == 0 {
			break
		}
		name, value, found := bytes.Cut(line, []byte(":"))
		if !found || len(name) == 0 || !all(name, inName) || !all(value, inValue) {
			return 0, false
		}
		value = bytes.Trim(value, " \t")
		var one *[]byte
		switch meaningOf(name) {
		case other:
			continue
		case connection:
			if !bytes.EqualFold(value, []byte("keep-alive")) {
				return 0, false
			}
			continue
		case matters:
			return 0, false
		case hostName:
			one = &host
		case refererName:
			one = &referer
		case agentName:
			one = &agent
		case withName:
			one = &with
		}
		if *one != nil {
			return 0, false // twice
		}
		*one = value
	}
	if len(host) == 0 || !all(host, inHost) {
		return 0, false
	}
	keep(&r.Host, host)
	keep(&r.Referer, referer)
	keep(&r.UserAgent, agent)
	keep(&r.RequestedWith, with)
	size = len(from) - len(rest)
	r.Size = int64(size)
	return size, true
}

// keep sets a text to what was sent, without a new string if it is the same.
func keep(text *string, sent []byte) {
	if *text != string(sent) {
		*text = string(sent)
	}
}

// meaning is what a header means for a request.
type meaning int

const (
	other       meaning = iota // nothing for a file that all visitors get alike
	matters                    // it changes the answer, or how the request is to be read
	connection                 // Connection
	hostName                   // Host
	refererName                // Referer
	agentName                  // User-Agent
	withName                   // X-Requested-With
)

// meaningOf looks up what a header means.
func meaningOf(name []byte) meaning {
	var room [32]byte
	lower := append(room[:0], name...)
	for i, c := range lower {
		if 'A' <= c && c <= 'Z' {
			lower[i] = c - 'A' + 'a'
		}
	}
	switch string(lower) {
	case "host":
		return hostName
	case "referer":
		return refererName
	case "user-agent":
		return agentName
	case "x-requested-with":
		return withName
	case "connection":
		return connection
	case "expect", "http2-settings", "range", "te", "trailer", "transfer-encoding", "upgrade":
		return matters
	}
	for _, prefix := range [...]string{"if-", "content-", "x-esa-"} {
		if bytes.HasPrefix(lower, []byte(prefix)) {
			return matters
		}
	}
	return other
}

// What may stand where in a plain request.
func inPath(c byte) bool  { return alphanumeric(c) || strings.IndexByte("/-._~@+=,!", c) >= 0 }
func inQuery(c byte) bool { return inPath(c) || c == '&' || c == '%' || c == ':' }
func inHost(c byte) bool  { return alphanumeric(c) || c == '.' || c == '-' || c == '_' || c == ':' }
func inName(c byte) bool  { return alphanumeric(c) || strings.IndexByte("!#$%&'*+-.^_`|~", c) >= 0 }
func inValue(c byte) bool { return ' ' <= c && c < 0x7f || c == '\t' }

func alphanumeric(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
}

// all reports whether all bytes of a text may stand where it is.
func all(text []byte, may func(c byte) bool) bool {
	for _, c := range text {
		if !may(c) {
			return false
		}
	}
	return true
}
