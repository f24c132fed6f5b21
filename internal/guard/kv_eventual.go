package guard

import (
	"context"
	"encoding/json"
	"slices"

	"github.com/esa-mcp/esa-mcp/internal/esa"
)

func sayKVEventual(_ context.Context, c *Call) error {
	switch c.Op.Action {
	case "GetKv", "GetKvDetail":
		sayKVOld(c, subject{reads: "GetKv", state: c.answer})
		return nil
	case "ListKvs":
		sayKVListOld(c)
		return nil
	}
	if c.State.First("kv-eventual") {
		c.Warn("Edge nodes elsewhere can serve the old value for some minutes: do not read it back there to check it.")
	}
	return nil
}

// sayKVMissing looks at a read that found no such key.
func sayKVMissing(_ context.Context, c *Call, cause error) error {
	if !changes(c.Op) && esa.CodeOf(cause) == "InvalidKey.NotFound" {
		sayKVOld(c, subject{reads: "GetKv"})
	}
	return nil
}

// sayKVOld says that a read shows what a key was before it was written.
func sayKVOld(c *Call, seen subject) {
	key := c.Text("Key")
	kv := c.State.s.kv
	had := kv.history(c.Text("Namespace"), key)
	if on, _ := c.Bool("Base64"); on || len(had) == 0 {
		return
	}
	last := had[len(had)-1]
	ago := int(c.now().Sub(last.since).Seconds())
	switch now := kv.settle(c.Text("Namespace"), key, seen); {
	case now.unsure:
		c.Warn("Key %s may have been written %d s ago, and reads lag by up to 5 minutes: this may be older.", shortText(key), ago)
	case kvSeen(now).print == kvSeen(seen).print:
	case now.state == nil:
		c.Warn("Key %s was deleted %d s ago: this is what it was before. Reads lag by up to 5 minutes.", shortText(key), ago)
	default:
		c.Warn("Key %s was written %d s ago with another value: this read is older. Reads lag by up to 5 minutes.", shortText(key), ago)
	}
}

// sayKVListOld says that a list is older than what was written.
func sayKVListOld(c *Call) {
	var answer struct {
		Keys       []struct{ Name string }
		TotalCount json.Number
	}
	if (esa.Result{Body: c.answer}).Decode(&answer) != nil {
		return
	}
	shown := map[string]bool{}
	for _, k := range answer.Keys {
		shown[k.Name] = true
	}
	total, known := number(answer.TotalCount)
	whole := known && int(total) <= len(answer.Keys)
	var missing, gone []string
	for key, v := range c.State.s.kv.written(c.Text("Namespace"), c.Text("Prefix")) {
		switch {
		case !v.sure:
		case v.print == "" && shown[key]:
			gone = append(gone, key)
		case v.print != "" && whole && !shown[key]:
			missing = append(missing, key)
		}
	}
	slices.Sort(missing)
	slices.Sort(gone)
	if len(missing) > 0 {
		c.Warn("The list lags, by up to 5 minutes: written just now and not in it: %s.", listed(missing))
	}
	if len(gone) > 0 {
		c.Warn("The list lags, by up to 5 minutes: deleted just now and still in it: %s.", listed(gone))
	}
}
