package tools

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/esa-mcp/esa-mcp/internal/catalog"
	"github.com/esa-mcp/esa-mcp/internal/esa"
)

// APICall is embedded in the input of the tools that send any operation.
type APICall struct {
	Action string         `json:"action" jsonschema:"minLength=1,maxLength=100" jsonschema_description:"Operation, such as ListSites"`
	Params map[string]any `json:"params,omitempty" jsonschema_description:"Parameters by name, nested values as JSON"`
}

// ReadAPIInput are the arguments of read_api.
type ReadAPIInput struct {
	APICall
	Fields   []string `json:"fields,omitempty" jsonschema:"maxItems=50" jsonschema_description:"Keep only these fields, such as Sites.SiteName"`
	JQ       string   `json:"jq,omitempty" jsonschema:"maxLength=4000" jsonschema_description:"jq filter over the answer"`
	AllPages bool     `json:"all_pages,omitempty" jsonschema_description:"Follow the pages and join them"`
}

// ReadAPIOutput is the result of read_api.
type ReadAPIOutput struct {
	Noted
	Result   json.RawMessage `json:"result"`
	Pages    int             `json:"pages,omitempty" jsonschema_description:"Pages that were joined"`
	NextPage int             `json:"next_page,omitempty" jsonschema_description:"PageNumber to go on with"`
}

// WriteAPIOutput is the result of write_api.
type WriteAPIOutput struct {
	Noted
	Result json.RawMessage `json:"result"`
}

func readAPI(ctx context.Context, d *Deps, in ReadAPIInput) (ReadAPIOutput, error) {
	var out ReadAPIOutput
	op, err := findOperation(in.Action)
	if err != nil {
		return out, err
	}
	if !isRead(op) {
		return out, Refuse("%s changes something (%s): send it with write_api.", op.Action, op.Effect)
	}
	filter, err := compileJQ(in.JQ)
	if err != nil {
		return out, err
	}
	var body map[string]any
	if in.AllPages {
		body, err = readPages(ctx, d, op, in.Params, &out)
	} else {
		body, err = sendAPI(ctx, d, op, in.Params, &out.Noted)
	}
	if err != nil {
		return out, err
	}
	// Before any filter, so that none can turn a secret into something else.
	var value any = Redact(op.Action, body)
	if len(in.Fields) > 0 {
		if value, err = pickFields(op, value, in.Fields); err != nil {
			return out, err
		}
	} else if in.JQ == "" {
		delete(value.(map[string]any), "RequestId") // a token price for nothing
	}
	if filter != nil {
		if value, err = filter.run(ctx, value); err != nil {
			return out, err
		}
	}
	out.Result, err = encodePlain(value)
	if err != nil {
		return out, fmt.Errorf("encode the answer of %s: %w", op.Action, err)
	}
	return out, nil
}

func writeAPI(ctx context.Context, d *Deps, in APICall) (WriteAPIOutput, error) {
	var out WriteAPIOutput
	op, err := findOperation(in.Action)
	if err != nil {
		return out, err
	}
	if isRead(op) {
		return out, Refuse("%s only reads: send it with read_api.", op.Action)
	}
	body, err := sendAPI(ctx, d, op, in.Params, &out.Noted)
	if err != nil {
		return out, err
	}
	out.Result, err = encodePlain(Redact(op.Action, body))
	if err != nil {
		return out, fmt.Errorf("encode the answer of %s: %w", op.Action, err)
	}
	return out, nil
}

// sendAPI sends one operation and adds to a mistake in its parameters where
// they are described.
func sendAPI(ctx context.Context, d *Deps, op *catalog.Operation, params map[string]any, notes *Noted) (map[string]any, error) {
	res, err := d.ESA.Call(ctx, op.Action, params)
	if esa.CodeOf(err) == esa.CodeInvalidArgument {
		return nil, Refuse("%w\ndescribe_api shows the parameters of %s.", err, op.Action)
	}
	if err != nil {
		return nil, err
	}
	notes.Note(res.Notes...)
	if res.Body == nil {
		res.Body = map[string]any{}
	}
	return res.Body, nil
}
