package gateway

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"mime"
	"net/http"
	"net/url"

	"github.com/esa-mcp/esa-mcp/internal/local/api"
	"github.com/esa-mcp/esa-mcp/internal/local/values"
)

// mergeParams gathers a call's parameters from the query and the body. The body
// is a form, or a JSON object, as some clients send for the edge routine's
// operations. A name in both is taken from the body; of a name that is given
// twice in one place the first counts.
func mergeParams(rawQuery, contentType string, body []byte) (api.Params, error) {
	params := api.Params{}
	query, err := url.ParseQuery(rawQuery)
	if err != nil {
		return nil, api.Errorf(400, "InvalidQueryString", "The query string is not well formed: %v.", err)
	}
	addValues(params, query)
	if len(bytes.TrimSpace(body)) == 0 {
		return params, nil
	}
	kind, _, err := mime.ParseMediaType(contentType)
	if err != nil && !errors.Is(err, mime.ErrInvalidMediaParameter) {
		kind = contentType // named in the refusal below
	}
	switch kind {
	case "application/x-www-form-urlencoded":
		form, err := url.ParseQuery(string(body))
		if err != nil {
			return nil, api.Errorf(400, "InvalidBody", "The form in the body is not well formed: %v.", err)
		}
		addValues(params, form)
	case "application/json":
		fields, err := decodeObject(body)
		if err != nil {
			return nil, api.Errorf(400, "InvalidBody", "The body is not a JSON object: %v.", err)
		}
		maps.Copy(params, fields)
	default:
		return nil, api.Errorf(http.StatusUnsupportedMediaType, "UnsupportedContentType",
			"A body must be application/x-www-form-urlencoded or application/json, not %q.", values.Clip(contentType))
	}
	return params, nil
}

func addValues(params api.Params, values url.Values) {
	for name, all := range values {
		if name != "" && len(all) > 0 {
			params[name] = all[0]
		}
	}
}

// decodeObject reads exactly one JSON object. A null member counts as not sent.
func decodeObject(body []byte) (map[string]any, error) {
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	var value any
	if err := d.Decode(&value); err != nil {
		return nil, err
	}
	fields, ok := value.(map[string]any)
	if !ok {
		return nil, errors.New("it is another kind of value")
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, errors.New("there is more after the object")
	}
	maps.DeleteFunc(fields, func(name string, v any) bool { return v == nil || name == "" })
	return fields, nil
}
