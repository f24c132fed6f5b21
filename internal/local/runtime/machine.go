package runtime

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"modernc.org/quickjs"

	"github.com/esa-mcp/esa-mcp/internal/local/runtime/web"
)

// maxFrames is how deep calls may nest, in the engine's stack slots. The
// engine's default is too small for ordinary recursive code.
const maxFrames = 15_000

// machine is one isolated JavaScript engine with the web layer and a script. One
// goroutine at a time uses it.
type machine struct {
	pool    *pool
	version *version
	usedAt  time.Time

	vm       *quickjs.VM
	begin    quickjs.Value // loads the script
	dispatch quickjs.Value // gives a request to the script
	settle   quickjs.Value // ends an operation that the script waits for

	jobs   chan *job // for the machine's own goroutine, whose stack has grown
	job    *job      // the request being served, or the one that loads the script
	served int       // requests

	lost atomic.Bool // that goroutine is inside the engine and may never come back
}

// newMachine makes a machine and loads the script into it.
func newMachine(ctx context.Context, p *pool, v *version, script Script, source string) (*machine, error) {
	m := &machine{pool: p, version: v, jobs: make(chan *job, 1)}
	var err error
	if m.vm, err = quickjs.NewVM(); err != nil {
		return nil, fmt.Errorf("start the JavaScript engine: %w", err)
	}
	go func() {
		for j := range m.jobs {
			j.serve(m)
		}
	}()
	if err = m.load(ctx, script, source); err != nil {
		m.close()
		return nil, err
	}
	return m, nil
}

func (m *machine) load(ctx context.Context, script Script, source string) error {
	limits := m.pool.cfg.Limits
	m.vm.SetMemoryLimit(uintptr(limits.Memory))
	m.vm.SetMaxStackSize(maxFrames)
	m.vm.SetModuleLoader(func(_ *quickjs.VM, name string) (string, error) { return module(name, source) }, normalizeModule)
	for name, f := range m.hostFunctions() {
		if err := m.vm.RegisterHostFunc(hostPrefix+name, f); err != nil {
			return fmt.Errorf("set up the JavaScript engine: %w", err)
		}
	}
	env, err := json.Marshal(script.Env)
	if err != nil {
		return fmt.Errorf("write the environment: %w", err)
	}
	if err := m.boot(string(env)); err != nil {
		return fmt.Errorf("set up the JavaScript engine: %w", err)
	}
	return m.start(ctx)
}

// boot runs the web layer, which takes the host functions off the global object
// and returns its two entry points.
func (m *machine) boot(env string) error {
	code, err := web.Boot()
	if err != nil {
		return err
	}
	boot, err := m.vm.EvalBytecodeValue(code)
	if err != nil {
		return err
	}
	defer boot.Free()
	entries, err := boot.CallValue(quickjs.UndefinedValue, env)
	if err != nil {
		return err
	}
	defer entries.Free()
	for name, v := range map[string]*quickjs.Value{"begin": &m.begin, "dispatch": &m.dispatch, "settle": &m.settle} {
		if *v, err = m.property(entries, name); err != nil {
			return err
		}
	}
	return nil
}

func (m *machine) property(of quickjs.Value, name string) (quickjs.Value, error) {
	atom, err := m.vm.NewAtom(name)
	if err != nil {
		return quickjs.Value{}, err
	}
	return of.GetPropertyValue(atom)
}

// start loads the script's module as a job of its own: its top level may compute
// as long as a request may, and wait.
func (m *machine) start(ctx context.Context) error {
	j, err := newJob(ctx, m.pool.cfg, Host{}, nil)
	if err != nil {
		return err
	}
	_, err = j.run(m)
	return err
}

// collectEvery is after how many requests a machine's garbage is collected for sure.
const collectEvery = 500

// collect frees what the machine's requests have left, now and then. The engine
// itself collects when its memory has grown by half since the last time, but what
// was in a WeakMap - each stream of a body is - goes with the second collection only,
// and until then keeps the blocks around it. So the engine finds little less memory
// in use after each of its collections, waits for half as much again, and would use
// all that it may have. After two collections at once it begins from what is really
// in use.
func (m *machine) collect() error {
	if m.served++; m.served%collectEvery != 0 {
		return nil
	}
	for range 2 {
		m.vm.SetGCThreshold(0) // the next object has it collect, and set the threshold anew
		object, err := m.vm.NewObjectValue()
		if err != nil {
			return err
		}
		object.Free()
	}
	return nil
}

func (m *machine) close() {
	if m.lost.Load() {
		return // it closes if that goroutine comes back
	}
	close(m.jobs)
	for _, v := range []*quickjs.Value{&m.begin, &m.dispatch, &m.settle} {
		if v.VM() != nil {
			v.Free()
		}
	}
	// The engine reports what it could not free; nobody can do anything about it.
	_ = m.vm.Close()
}

const (
	hostPrefix = "__esa_"
	scriptName = "routine.mjs"
)

// module returns the source of what a script imports: itself or a module of node.
func module(name, script string) (string, error) {
	if name == scriptName {
		return script, nil
	}
	if source, ok := web.Node(name); ok {
		return source, nil
	}
	if strings.HasPrefix(name, "node:") {
		return "", fmt.Errorf("the runtime has no module %q; of node's it has %s", name, strings.Join(web.NodeModules(), ", "))
	}
	return "", fmt.Errorf("cannot import %q: a routine is one file, so bundle what it imports", name)
}

// normalizeModule leaves names as they are: there are no folders.
func normalizeModule(_ *quickjs.VM, _, name string) (string, error) { return name, nil }
