package tools

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"strings"

	"github.com/esa-mcp/esa-mcp/internal/esa"
)

// ExportRecordsInput are the arguments of export_records.
type ExportRecordsInput struct {
	SiteRef
	Path string `json:"path,omitempty" jsonschema_description:"New file for the zone; default: in the result"`
}

// ExportRecordsOutput is the result of export_records.
type ExportRecordsOutput struct {
	Noted
	SiteID  ID     `json:"site_id"`
	Records int    `json:"records" jsonschema_description:"Lines of records; an address record has one an address"`
	Path    string `json:"path,omitempty"`
	Text    string `json:"text,omitempty"`
}

func exportRecords(ctx context.Context, d *Deps, in ExportRecordsInput) (ExportRecordsOutput, error) {
	var out ExportRecordsOutput
	id, err := in.resolve(ctx, d)
	if err != nil {
		return out, err
	}
	answer, err := invoke[struct{ Content string }](ctx, d, &out.Noted, "ExportRecords", esa.Params{"SiteId": id.number()})
	if err != nil {
		return out, err
	}
	// The words behind each record become comments, so that other servers can
	// read the zone and import_records still knows what was proxied.
	text := markComments(answer.Content)
	out.SiteID = id
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" && line[0] != ';' && line[0] != '$' {
			out.Records++
		}
	}
	if in.Path == "" {
		if len(text) > maxResult/2 {
			return out, Refuse("The zone has %d records and %d bytes, too much for a result: give a path.", out.Records, len(text))
		}
		out.Text = text
		return out, nil
	}
	out.Path = in.Path
	return out, writeNew(in.Path, text)
}

// writeNew writes a file that must not exist yet.
func writeNew(path, text string) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if errors.Is(err, fs.ErrExist) {
		return Refuse("path %s exists: nothing is overwritten, give another one.", path)
	}
	if err != nil {
		return Refuse("path %s cannot be written: %w", path, err)
	}
	if _, err := f.WriteString(text); err != nil {
		return errors.Join(Refuse("path %s cannot be written: %w", path, err), f.Close())
	}
	return f.Close()
}
