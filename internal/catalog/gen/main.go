// Command gen makes the embedded catalogue files from the operation facts:
// one line of JSON per operation, sorted by action, without what is the same for
// all of them, and the shared models beside.
package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"os"
	"sort"

	"github.com/esa-mcp/esa-mcp/internal/catalog"
)

func main() {
	log.SetFlags(0)
	in := flag.String("in", "testdata/operations.json", "operation facts")
	operations := flag.String("operations", "operations.jsonl", "file to write the operations to")
	models := flag.String("models", "models.json", "file to write the models to")
	flag.Parse()
	if err := run(*in, *operations, *models); err != nil {
		log.Fatalf("gen: %v", err)
	}
}

// facts is the part of the input that the catalogue keeps.
type facts struct {
	Version    string                     `json:"version"`
	Models     map[string]json.RawMessage `json:"models"`
	Operations []json.RawMessage          `json:"operations"`
}

// fixed must hold for every operation, which is why the catalogue leaves it out.
type fixed struct {
	Version, Pathname, Protocol, Style, AuthType, ReqBodyType, BodyType string
}

func run(in, operationsFile, modelsFile string) error {
	raw, err := os.ReadFile(in)
	if err != nil {
		return err
	}
	var f facts
	if err := json.Unmarshal(raw, &f); err != nil {
		return fmt.Errorf("parse %s: %w", in, err)
	}
	want := fixed{f.Version, "/", "HTTPS", "RPC", "AK", "formData", "json"}
	ops := make([]catalog.Operation, len(f.Operations))
	for i, line := range f.Operations {
		var same fixed
		if err := json.Unmarshal(line, &same); err != nil {
			return fmt.Errorf("operation %d: %w", i, err)
		}
		if err := json.Unmarshal(line, &ops[i]); err != nil {
			return fmt.Errorf("operation %d: %w", i, err)
		}
		if same != want {
			return fmt.Errorf("%s is called as %+v; the client only knows %+v", ops[i].Action, same, want)
		}
	}
	sort.Slice(ops, func(i, j int) bool { return ops[i].Action < ops[j].Action })
	var out bytes.Buffer
	enc := json.NewEncoder(&out) // one value, one line
	enc.SetEscapeHTML(false)
	for _, op := range ops {
		if err := enc.Encode(op); err != nil {
			return err
		}
	}
	if err := os.WriteFile(operationsFile, out.Bytes(), 0o644); err != nil {
		return err
	}
	m, err := json.Marshal(f.Models) // sorted by name
	if err != nil {
		return err
	}
	return os.WriteFile(modelsFile, append(m, '\n'), 0o644)
}
