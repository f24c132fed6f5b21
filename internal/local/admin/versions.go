package admin

import (
	"encoding/json"
	"errors"
	"net/http"

	"github.com/esa-mcp/esa-mcp/internal/local/api"
	"github.com/esa-mcp/esa-mcp/internal/local/version"
)

// handleVersions answers what the service's console does with the versions of a
// site's configuration, for which it has no operations.
func (d desk) handleVersions(mux *http.ServeMux) {
	const site = Path + "/sites/{site}"
	list := func(r *http.Request) (any, error) {
		list, err := d.cfg.Versions.List(r.Context(), r.PathValue("site"))
		return map[string]any{"environments": list}, err
	}
	// after answers a change with the environments as they are since.
	after := func(change func(r *http.Request) error) func(*http.Request) (any, error) {
		return func(r *http.Request) (any, error) {
			if err := change(r); err != nil {
				return nil, err
			}
			return list(r)
		}
	}
	mux.HandleFunc("GET "+site+"/environments", d.answer(list))
	mux.HandleFunc("PUT "+site+"/environments/{name}", d.answer(after(func(r *http.Request) error {
		var asked struct {
			Rule    string `json:"rule"`
			Version *int64 `json:"version"`
		}
		if err := read(r, &asked); err != nil {
			return err
		}
		if asked.Version == nil { // which is not to mean version 0
			return api.Errorf(http.StatusBadRequest, "MissingVersion", "say which version the environment is to have: {\"version\":1}")
		}
		return d.cfg.Versions.Deploy(r.Context(), r.PathValue("site"), version.Environment{Name: r.PathValue("name"), Rule: asked.Rule, Version: *asked.Version})
	})))
	mux.HandleFunc("DELETE "+site+"/environments/{name}", d.answer(after(func(r *http.Request) error {
		return d.cfg.Versions.Remove(r.Context(), r.PathValue("site"), r.PathValue("name"))
	})))
	mux.HandleFunc("POST "+site+"/environments/{name}/rollback", d.answer(after(func(r *http.Request) error {
		return d.cfg.Versions.Rollback(r.Context(), r.PathValue("site"), r.PathValue("name"))
	})))
	mux.HandleFunc("POST "+site+"/versions", d.answer(func(r *http.Request) (any, error) {
		var asked struct {
			From int64 `json:"from"`
		}
		if err := read(r, &asked); err != nil {
			return nil, err
		}
		number, err := d.cfg.Versions.Clone(r.Context(), r.PathValue("site"), asked.From)
		return map[string]int64{"version": number}, err
	}))
}

// read reads the body of a call, which may be empty.
func read(r *http.Request, into any) error {
	body := http.MaxBytesReader(nil, r.Body, maxBody)
	if r.ContentLength == 0 {
		return nil
	}
	decoder := json.NewDecoder(body)
	decoder.DisallowUnknownFields()
	err := decoder.Decode(into)
	if err == nil && decoder.More() {
		err = errors.New("there is more after the object")
	}
	if err != nil {
		return api.Errorf(http.StatusBadRequest, "InvalidBody", "the body could not be read: %s", api.Unfit(err))
	}
	return nil
}

// answer makes a handler that sends an answer, or says why there is none.
func (d desk) answer(do func(r *http.Request) (any, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		answer, err := do(r)
		var refused *api.Error
		switch {
		case errors.As(err, &refused):
			fail(w, refused.Status, "%s", refused.Message)
		case err != nil:
			fail(w, http.StatusInternalServerError, "the state could not be changed")
		default:
			if r.Method != http.MethodGet {
				d.cfg.Changed()
			}
			send(w, http.StatusOK, answer)
		}
	}
}
