package tools

import (
	"bytes"
	"cmp"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// reportFolder is where reports go when nothing else is said.
const reportFolder = "output/aliyun-esa-manage"

// reportFile is where and how a report is written; no path: it is not.
type reportFile struct{ path, format string }

// reportEndings are the formats by the ends of file names.
func reportEndings() map[string]string {
	return map[string]string{".md": "markdown", ".csv": "csv", ".json": "json"}
}

// target decides the file before anything is read, so that a wrong path costs
// nothing.
func (in CreateReportInput) target(now time.Time) (reportFile, error) {
	if in.Path == "" && !in.Save {
		return reportFile{}, nil
	}
	path := cmp.Or(in.Path, reportFolder+"/")
	info, err := os.Stat(path)
	if in.Path == "" || err == nil && info.IsDir() || strings.HasSuffix(path, "/") || strings.HasSuffix(path, string(filepath.Separator)) {
		format := cmp.Or(in.Format, "markdown")
		name := in.Kind
		if site := cmp.Or(siteName(in.SiteName), string(in.SiteID)); site != "" {
			name += "-" + strings.Map(fileRune, site)
		}
		return reportFile{filepath.Join(path, name+"-"+reportStamp(now)+endingOf(format)), format}, nil
	}
	format, known := reportEndings()[strings.ToLower(filepath.Ext(path))]
	switch {
	case !known:
		return reportFile{}, Refuse("path: %s has to end with .md, .csv or .json, or to be a folder that ends with /.", path)
	case in.Format != "" && in.Format != format:
		return reportFile{}, Refuse("format %s does not go with path %s: leave format out, or let path end with %s.", in.Format, path, endingOf(in.Format))
	case err == nil:
		return reportFile{}, Refuse("path: %s exists, and a report is never written over a file. Give another name.", path)
	}
	return reportFile{path, format}, nil
}

func endingOf(format string) string {
	for ending, f := range reportEndings() {
		if f == format {
			return ending
		}
	}
	return ""
}

// fileRune keeps what is harmless in a file's name.
func fileRune(r rune) rune {
	if r == '.' || r == '-' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' {
		return r
	}
	return '_'
}

// write makes the file, whole or not at all, and never over another.
func (f *reportFile) write(r *report) error {
	body, err := map[string]func(*report) ([]byte, error){"markdown": asMarkdown, "csv": asCSV, "json": asJSON}[f.format](r)
	if err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	if f.path, err = filepath.Abs(f.path); err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(f.path), 0o755); err != nil {
		return Refuse("The folder of %s cannot be made: %w", f.path, err)
	}
	file, err := os.OpenFile(f.path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if errors.Is(err, fs.ErrExist) {
		return Refuse("path: %s exists, and a report is never written over a file. Give another name.", f.path)
	}
	if err != nil {
		return Refuse("The report cannot be written: %w", err)
	}
	_, err = file.Write(body)
	if err = errors.Join(err, file.Close()); err != nil {
		return errors.Join(fmt.Errorf("write the report: %w", err), os.Remove(f.path))
	}
	return nil
}

// asCSV has the rows alone, so that it loads as a table. A cell that a
// spreadsheet would run as a formula gets an apostrophe.
func asCSV(r *report) ([]byte, error) {
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	if err := w.Write(r.Columns); err != nil {
		return nil, err
	}
	for _, row := range r.Rows {
		cells := make([]string, len(row))
		for i, cell := range row {
			cells[i] = harmless(cell)
		}
		if err := w.Write(cells); err != nil {
			return nil, err
		}
	}
	w.Flush()
	return b.Bytes(), w.Error()
}

func harmless(cell string) string {
	switch {
	case cell == "":
		return cell
	case strings.ContainsRune("=+@\t\r", rune(cell[0])):
		return "'" + cell
	case cell[0] == '-' && strings.Trim(cell[1:], "0123456789.") != "":
		return "'" + cell
	}
	return cell
}

func asMarkdown(r *report) ([]byte, error) {
	var b bytes.Buffer
	fmt.Fprintf(&b, "# ESA report: %s\n\nMade %s\n\n", r.Kind, r.Created)
	for _, f := range r.Summary {
		fmt.Fprintf(&b, "- %s: %s\n", cellText(f.Name), cellText(f.Value))
	}
	for _, n := range r.Notes {
		fmt.Fprintf(&b, "- note: %s\n", cellText(n.Text))
	}
	fmt.Fprintf(&b, "\n| %s |\n|%s\n", strings.Join(r.Columns, " | "), strings.Repeat(" --- |", len(r.Columns)))
	for _, row := range r.Rows {
		b.WriteString("|")
		for _, cell := range row {
			b.WriteString(" " + cellText(cell) + " |")
		}
		b.WriteString("\n")
	}
	return b.Bytes(), nil
}

// cellText keeps a text from ending its cell, or from becoming markup.
func cellText(text string) string {
	return strings.NewReplacer("|", `\|`, "\n", " ", "\r", " ", "<", "&lt;", "`", "\\`", "[", `\[`, "*", `\*`).Replace(text)
}

func asJSON(r *report) ([]byte, error) {
	rows := make([]map[string]string, 0, len(r.Rows))
	for _, row := range r.Rows {
		object := map[string]string{}
		for i, cell := range row {
			object[r.Columns[i]] = cell
		}
		rows = append(rows, object)
	}
	summary := map[string]string{}
	for _, f := range r.Summary {
		summary[f.Name] = f.Value
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	err := e.Encode(struct {
		Kind    string              `json:"kind"`
		Site    ID                  `json:"site_id,omitempty"`
		Created string              `json:"created"`
		Summary map[string]string   `json:"summary"`
		Rows    []map[string]string `json:"rows"`
	}{r.Kind, r.Site, r.Created, summary, rows})
	return b.Bytes(), err
}
