package kv

import (
	"bufio"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/esa-mcp/esa-mcp/internal/local/api"
)

// The high-capacity operations read from a file what the others have in the
// request.

// open opens the file of a call, which may be so large.
func (s *Service) open(ctx context.Context, p api.Params, most int64) (io.ReadCloser, error) {
	if s.cfg.Files == nil {
		return nil, api.Errorf(400, "InvalidUrl", "No file can be read here.")
	}
	file, size, err := s.cfg.Files.Open(ctx, p.String("Url"))
	if err != nil {
		return nil, err
	}
	if size > most {
		return nil, errors.Join(api.Errorf(400, "InvalidValue.ExceedsMaximum", "The file has %d bytes, more than %d.", size, most), file.Close())
	}
	return file, nil
}

// putFile answers PutKvWithHighCapacity. The key is that of the call.
func (s *Service) putFile(ctx context.Context, r *api.Request) (any, error) {
	key := r.Params.String("Key")
	if err := checkKey(key); err != nil {
		return nil, err
	}
	file, err := s.open(ctx, r.Params, maxFileBatch)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	var content struct{ Value *string }
	if err := json.NewDecoder(file).Decode(&content); err != nil || content.Value == nil {
		return nil, api.Errorf(400, "InvalidValue.Malformed", "The file is not a JSON object with Namespace, Key and Value.")
	}
	value := *content.Value
	err = s.change(ctx, r.Params, func(w *writer) error {
		return w.put(key, []byte(value), sql.NullInt64{}, maxFileValue)
	})
	if err != nil {
		return nil, err
	}
	return struct{ Length, Value string }{strconv.Itoa(len(value)), shorten(value)}, nil
}

// batchPutFile answers BatchPutKvWithHighCapacity.
func (s *Service) batchPutFile(ctx context.Context, r *api.Request) (any, error) {
	return s.batchFile(ctx, r, "KvList", func(d *json.Decoder) (fileElement, error) {
		var e entry
		if err := d.Decode(&e); err != nil {
			return fileElement{}, errForm
		}
		size := len(e.Key)
		if e.Value != nil {
			size += len(*e.Value)
		}
		return fileElement{e.Key, size, func(w *writer) error { return w.putEntry(e, maxFileValue) }}, nil
	})
}

// batchDeleteFile answers BatchDeleteKvWithHighCapacity.
func (s *Service) batchDeleteFile(ctx context.Context, r *api.Request) (any, error) {
	return s.batchFile(ctx, r, "Keys", func(d *json.Decoder) (fileElement, error) {
		var key string
		if err := d.Decode(&key); err != nil {
			return fileElement{}, errForm
		}
		return fileElement{key, len(key), func(w *writer) error { return w.delete(key) }}, nil
	})
}

// errForm ends the reading of a file that is not what the operation takes.
var errForm = errors.New("the file has another form")

// fileElement is one element of a batch in a file, and what is to be done with it.
type fileElement struct {
	key   string
	bytes int
	apply func(*writer) error
}

// Elements are looked up in groups of so many, or of so many bytes.
const (
	elementGroup = 1000
	elementBytes = 4 << 20
)

// batchFile carries out a batch that is a list in a file, one element after the
// other. A file of another form is an empty success, as on the service: nothing
// of it is carried out.
func (s *Service) batchFile(ctx context.Context, r *api.Request, list string, read func(*json.Decoder) (fileElement, error)) (any, error) {
	file, err := s.open(ctx, r.Params, maxFileBatch)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	out := newOutcome()
	err = s.change(ctx, r.Params, func(w *writer) error {
		var group []fileElement
		bytes := 0
		carryOut := func() error {
			err := out.group(w, group)
			group, bytes = group[:0], 0
			return err
		}
		err := eachOf(json.NewDecoder(bufio.NewReaderSize(file, 256<<10)), list, func(d *json.Decoder) error {
			e, err := read(d)
			if err != nil {
				return err
			}
			group, bytes = append(group, e), bytes+e.bytes
			if len(group) < elementGroup && bytes < elementBytes {
				return nil
			}
			return carryOut()
		})
		if err != nil {
			return err
		}
		return carryOut()
	})
	if errors.Is(err, errForm) {
		return newOutcome(), nil
	}
	return out, err
}

// group carries out some elements of a file.
func (o *outcome) group(w *writer, elements []fileElement) error {
	keys := make([]string, len(elements))
	for i, e := range elements {
		keys[i] = e.key
	}
	if err := w.lookUp(keys); err != nil {
		return err
	}
	for _, e := range elements {
		if err := o.add(e.key, e.apply(w)); err != nil {
			return err
		}
	}
	return nil
}

// eachOf streams the elements of one list of a JSON object.
func eachOf(d *json.Decoder, list string, element func(*json.Decoder) error) error {
	if err := expect(d, json.Delim('{')); err != nil {
		return err
	}
	found := false
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return errForm
		}
		if text, _ := name.(string); !strings.EqualFold(text, list) {
			var other json.RawMessage
			if err := d.Decode(&other); err != nil {
				return errForm
			}
			continue
		}
		found = true
		if err := expect(d, json.Delim('[')); err != nil {
			return err
		}
		for d.More() {
			if err := element(d); err != nil {
				return err
			}
		}
		if err := expect(d, json.Delim(']')); err != nil {
			return err
		}
	}
	if !found {
		return errForm
	}
	return expect(d, json.Delim('}'))
}

func expect(d *json.Decoder, want json.Delim) error {
	token, err := d.Token()
	if err != nil {
		return fmt.Errorf("%w: %w", errForm, err)
	}
	if token != want {
		return errForm
	}
	return nil
}
