package tools

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"
	"unicode/utf8"
)

// The forms that pairs have in files.
const (
	kvLines  = "jsonl"
	kvObject = "json"
	kvFolder = "folder"
)

// maxKVLine bounds a line of a file, in bytes: a value in JSON escapes is up to
// six times as long.
const maxKVLine = 6*maxKVBig + 4096

// kvSource gives the pairs of a file or folder, one at a time and always in the
// same order.
type kvSource interface {
	// next returns the next pair, or io.EOF. What is wrong with a single pair is
	// its Problem; an error ends the source.
	next() (kvItem, error)
	// skip passes over n pairs.
	skip(n int64) error
	// offset is how many bytes have been read, of size.
	offset() int64
	size() int64
	// print tells whether the source is the same as before.
	print() string
	close() error
}

// openKVSource opens what is at path.
func openKVSource(path, format string, now time.Time) (kvSource, string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, "", Refuse("path cannot be read: %v.", err)
	}
	if format == "" {
		switch lower := strings.ToLower(path); {
		case info.IsDir():
			format = kvFolder
		case strings.HasSuffix(lower, ".json"):
			format = kvObject
		default:
			format = kvLines
		}
	}
	if info.IsDir() != (format == kvFolder) {
		return nil, "", Refuse("path %s and format %q do not fit: %q is for folders alone.", path, format, kvFolder)
	}
	if format == kvFolder {
		source, err := newKVFolder(path)
		return source, format, err
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, "", Refuse("path cannot be opened: %v.", err)
	}
	file := kvFile{f: f, bytes: info.Size(), mark: fmt.Sprintf("%d %d", info.Size(), info.ModTime().UnixNano()), now: now}
	if format == kvObject {
		return &kvObjectSource{kvFile: file, d: json.NewDecoder(bufio.NewReaderSize(f, 1<<20))}, format, nil
	}
	return &kvLineSource{kvFile: file, r: bufio.NewReaderSize(f, 1<<20)}, format, nil
}

// kvFile is what the sources of one file share.
type kvFile struct {
	f     *os.File
	bytes int64
	mark  string
	now   time.Time
}

func (f *kvFile) size() int64   { return f.bytes }
func (f *kvFile) print() string { return f.mark }
func (f *kvFile) close() error  { return f.f.Close() }

// kvRow is one line of JSON Lines. The service's names are taken too.
type kvRow struct {
	Key           string          `json:"key"`
	Value         json.RawMessage `json:"value,omitempty"`
	Base64        bool            `json:"base64,omitempty"`
	TTLSeconds    int64           `json:"ttl_seconds,omitempty"`
	ExpiresAt     *time.Time      `json:"expires_at,omitempty"`
	ExpirationTTL int64           `json:"expirationttl,omitempty"`
	Expiration    int64           `json:"expiration,omitempty"`
}

// kvFailedRow is a line of a file of failed rows, which can be imported again.
type kvFailedRow struct {
	kvRow
	File  string `json:"file,omitempty"`
	Error string `json:"error"`
}

func (r kvRow) item(now time.Time) kvItem {
	item := kvItem{Key: r.Key, TTL: r.TTLSeconds, Expires: r.Expiration}
	if item.TTL == 0 {
		item.TTL = r.ExpirationTTL
	}
	if r.ExpiresAt != nil {
		item.Expires = r.ExpiresAt.Unix()
	}
	if item.TTL > 0 {
		item.Expires = 0 // as the service decides between the two
	}
	var err error
	if item.Value, err = kvText(r.Value); err == nil && r.Base64 {
		var raw []byte
		if raw, err = base64.StdEncoding.DecodeString(item.Value); err != nil {
			err = errors.New("base64 is true, but value is not base64")
		}
		item.Value = string(raw)
	}
	switch {
	case err != nil:
		item.Problem = err.Error()
	case item.TTL < 0:
		item.Problem = "the time to live is negative"
	case item.Expires != 0 && item.Expires <= now.Unix():
		item.Problem = "it has expired at " + stamp(time.Unix(item.Expires, 0))
	}
	item.check()
	return item
}

// kvText is a JSON value as it is stored: a text as it is, anything else as JSON.
func kvText(raw json.RawMessage) (string, error) {
	switch {
	case len(raw) == 0 || string(raw) == "null":
		return "", errors.New("it has no value")
	case !utf8.Valid(raw):
		return "", errors.New("the value is not UTF-8: give its base64, with base64 true")
	case raw[0] == '"':
		var text string
		err := json.Unmarshal(raw, &text)
		return text, err
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, raw); err != nil {
		return "", err
	}
	return compact.String(), nil
}

// kvLineSource reads JSON Lines: an object with key and value a line.
type kvLineSource struct {
	kvFile
	r    *bufio.Reader
	read int64
	line int64
}

func (s *kvLineSource) offset() int64 { return s.read }

// raw returns the next line that is not blank; too long a one is cut.
func (s *kvLineSource) raw() (line []byte, long bool, err error) {
	for {
		line, long = nil, false
		for {
			piece, err := s.r.ReadSlice('\n')
			s.read += int64(len(piece))
			if len(line)+len(piece) <= maxKVLine {
				line = append(line, piece...)
			} else {
				long = true
			}
			if errors.Is(err, bufio.ErrBufferFull) {
				continue
			}
			if err != nil && !errors.Is(err, io.EOF) {
				return nil, false, fmt.Errorf("read line %d: %w", s.line+1, err)
			}
			if err != nil && len(line) == 0 {
				return nil, false, io.EOF
			}
			break
		}
		if s.line++; s.line == 1 {
			line = bytes.TrimPrefix(line, []byte("\ufeff"))
		}
		if line = bytes.TrimSpace(line); len(line) > 0 {
			return line, long, nil
		}
	}
}

func (s *kvLineSource) next() (kvItem, error) {
	line, long, err := s.raw()
	if err != nil {
		return kvItem{}, err
	}
	if long {
		return kvItem{Problem: fmt.Sprintf("line %d is longer than %d bytes", s.line, maxKVLine)}, nil
	}
	var row kvRow
	if err := json.Unmarshal(line, &row); err != nil {
		return kvItem{Key: row.Key, Problem: fmt.Sprintf("line %d is no JSON object with key and value: %v", s.line, err)}, nil
	}
	return row.item(s.now), nil
}

func (s *kvLineSource) skip(n int64) error {
	for range n {
		if _, _, err := s.raw(); err != nil {
			return err
		}
	}
	return nil
}

// kvObjectSource reads one JSON object, key by key.
type kvObjectSource struct {
	kvFile
	d    *json.Decoder
	open bool
}

func (s *kvObjectSource) offset() int64 { return s.d.InputOffset() }

func (s *kvObjectSource) next() (kvItem, error) {
	if !s.open {
		if token, err := s.d.Token(); err != nil || token != json.Delim('{') {
			return kvItem{}, Refuse("the file is not one JSON object of keys and values; for an object a line give format %q.", kvLines)
		}
		s.open = true
	}
	if !s.d.More() {
		if _, err := s.d.Token(); err != nil {
			return kvItem{}, Refuse("the file is no whole JSON object: it breaks off or has a mistake at byte %d.", s.d.InputOffset())
		}
		return kvItem{}, io.EOF
	}
	name, err := s.d.Token()
	var value json.RawMessage
	if err == nil {
		err = s.d.Decode(&value)
	}
	if err != nil {
		return kvItem{}, Refuse("the file is no whole JSON object: at byte %d: %v.", s.d.InputOffset(), err)
	}
	key, _ := name.(string)
	return kvRow{Key: key, Value: value}.item(s.now), nil
}

func (s *kvObjectSource) skip(n int64) error {
	for range n {
		if _, err := s.next(); err != nil {
			return err
		}
	}
	return nil
}

// rowOf is the line of an item.
func rowOf(item kvItem) kvRow {
	row := kvRow{Key: item.Key, TTLSeconds: item.TTL}
	if item.Expires > 0 {
		at := time.Unix(item.Expires, 0).UTC()
		row.ExpiresAt = &at
	}
	if item.File == "" {
		row.Value, row.Base64 = kvJSON(item.Value)
	}
	return row
}

// kvJSON is a value as JSON text: as it is if it is text, in base64 otherwise.
func kvJSON(value string) (raw json.RawMessage, encoded bool) {
	if !utf8.ValidString(value) {
		value, encoded = base64.StdEncoding.EncodeToString([]byte(value)), true
	}
	return appendJSON(nil, value), encoded
}

// appendJSON appends the JSON of a value that has one, with < as <.
func appendJSON(to []byte, v any) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return append(to, "null"...)
	}
	return append(to, bytes.TrimRight(b.Bytes(), "\n")...)
}
