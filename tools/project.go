package tools

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/esa-mcp/esa-mcp/internal/esa"
	"github.com/esa-mcp/esa-mcp/internal/pages"
)

// project is what deploy_pages found in a folder, ready to be sent.
type project struct {
	name             string
	description      string
	notFoundStrategy string
	archive          *pages.Archive
	skipped          []SkippedFile
	notes            []esa.Note
}

// maxSkippedShown bounds the list of what was left out.
const maxSkippedShown = 50

// load reads the folder and its configuration. Arguments win over esa.jsonc and
// esa.toml.
func (in DeployPagesInput) load(ctx context.Context, d *Deps) (project, error) {
	if err := checkFolder(in.Path); err != nil {
		return project{}, err
	}
	Progress(ctx, 0, 100, "reading "+in.Path)
	config, err := pages.LoadConfig(in.Path)
	if err != nil {
		return project{}, about(err)
	}
	p := project{
		name:             cmp.Or(in.Name, config.Name),
		description:      config.Description,
		notFoundStrategy: cmp.Or(in.NotFoundStrategy, config.Assets.NotFoundStrategy),
	}
	if p.name == "" {
		return project{}, Refuse("name is missing: give it, or set \"name\" in esa.jsonc in %s.", in.Path)
	}
	if err := checkName(p.name); err != nil {
		return project{}, err
	}
	script, err := in.bundle(ctx, config)
	if err != nil {
		return project{}, err
	}
	folder, err := in.scan(ctx, config, script)
	if err != nil {
		return project{}, err
	}
	if err := p.pack(ctx, d, folder, script); err != nil {
		return project{}, err
	}
	p.tell(folder, script)
	if config.Assets.Directory == "" && hasBuild(in.Path) {
		p.notes = append(p.notes, esa.Note{ID: "unbuilt", Text: "The folder is published as it is, and its package.json has a build script. " +
			"If these are the sources, build them and deploy the folder that the build makes, such as dist."})
	}
	if script != nil {
		p.notes = append(p.notes, lintNotes(script, in.Path)...)
	}
	return p, nil
}

func checkFolder(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return pathError(path, err)
	}
	if !info.IsDir() {
		return Refuse("path %s is a file: give a folder, or deploy one HTML file with deploy_html.", path)
	}
	return nil
}

// bundle makes one script of the function's sources; nil if there is no function.
func (in DeployPagesInput) bundle(ctx context.Context, config pages.Config) (*pages.Script, error) {
	entry := cmp.Or(in.Entry, config.Entry)
	if entry == "" {
		return nil, nil
	}
	if !filepath.IsAbs(entry) {
		entry = filepath.Join(in.Path, filepath.FromSlash(entry))
	}
	if _, err := os.Stat(entry); errors.Is(err, fs.ErrNotExist) {
		return nil, Refuse("entry %s does not exist: give the function's file, relative to %s.", entry, in.Path)
	}
	Progress(ctx, 2, 100, "bundling "+filepath.Base(entry))
	script, err := pages.Bundle(ctx, entry, pages.BundleOptions{Dir: in.Path})
	if err != nil {
		return nil, about(err)
	}
	return script, nil
}

// scan lists the files to publish; nil if the project is a function alone: its
// configuration names an entry and no folder of assets.
func (in DeployPagesInput) scan(ctx context.Context, config pages.Config, script *pages.Script) (*pages.Folder, error) {
	if config.File != "" && script != nil && config.Assets.Directory == "" {
		return nil, nil
	}
	options := pages.ScanOptions{MaxSkipped: maxSkippedShown}
	if script != nil {
		options.Sources = script.Inputs
		options.AllowEmpty = true
	}
	Progress(ctx, 5, 100, "looking through the folder")
	dir := filepath.Join(in.Path, filepath.FromSlash(config.Assets.Directory))
	if _, err := os.Stat(dir); config.Assets.Directory != "" && errors.Is(err, fs.ErrNotExist) {
		return nil, Refuse("%s: assets.directory is %s, and %s does not exist: build the project first, such as with npm run build, or correct the setting.",
			config.File, config.Assets.Directory, dir)
	}
	folder, err := pages.Scan(ctx, dir, options)
	if err != nil {
		return nil, about(err)
	}
	return folder, nil
}

// hasBuild reports whether a folder is a Node project that has to be built.
func hasBuild(dir string) bool {
	var manifest struct{ Scripts struct{ Build string } }
	text, err := os.ReadFile(filepath.Join(dir, "package.json"))
	return err == nil && json.Unmarshal(text, &manifest) == nil && manifest.Scripts.Build != ""
}

// pack decides the archive: it reads every file once.
func (p *project) pack(ctx context.Context, d *Deps, folder *pages.Folder, script *pages.Script) error {
	if folder != nil {
		Progress(ctx, 8, 100, fmt.Sprintf("reading %d files, %s", len(folder.Files), size(folder.Bytes)))
	}
	var code []byte
	if script != nil {
		code = script.Code
	}
	archive, err := pages.Plan(ctx, folder, code, d.packing())
	if err != nil {
		return about(err)
	}
	p.archive = archive
	return nil
}

// packing says how to make archives: compression spares the network, and inside one
// process there is none.
func (d *Deps) packing() pages.PlanOptions { return pages.PlanOptions{Store: d.SameProcess} }

// tell notes what was left out and what the function has to expect.
func (p *project) tell(folder *pages.Folder, script *pages.Script) {
	p.skipped, p.notes = []SkippedFile{}, []esa.Note{}
	if folder != nil {
		for _, s := range folder.Skipped {
			p.skipped = append(p.skipped, SkippedFile{Path: s.Path, Reason: s.Reason})
		}
		if n := len(folder.Skipped); n > 0 {
			text := fmt.Sprintf("Files and folders left out: %d; skipped lists them with the reason.", n+folder.SkippedMore)
			if folder.SkippedMore > 0 {
				text += fmt.Sprintf(" The list stops after %d.", n)
			}
			p.notes = append(p.notes, esa.Note{ID: pages.GuardSecrets, Text: text})
		}
	}
	if script == nil {
		if !slices.ContainsFunc(folder.Files, func(f pages.File) bool { return f.Path == "index.html" }) {
			p.notes = append(p.notes, esa.Note{ID: "no-index", Text: fmt.Sprintf(
				"The folder has no index.html of its own, so that url answers 404: files have addresses, such as /%s. If a folder in it is the site, deploy that one.", folder.Files[0].Path)})
		}
		return
	}
	for _, w := range script.Warnings {
		p.notes = append(p.notes, esa.Note{ID: "bundle", Text: w})
	}
	if p.notFoundStrategy != "" {
		p.notes = append(p.notes, esa.Note{ID: "pages-spa",
			Text: "With a not-found strategy, opening a page (Sec-Fetch-Mode: navigate) never reaches the function: the strategy answers. Requests that scripts make do reach it."})
	}
}

// about makes an error of package pages one for the model. Those of files that
// changed and of cancelled calls keep what they are.
func about(err error) error {
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return Refuse("%w", err)
}
