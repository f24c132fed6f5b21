package docs

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"sync"

	_ "modernc.org/sqlite" // for its full-text index FTS5, which the program has anyway
)

// Hit is a section that Search found.
type Hit struct {
	Document *Document
	Section  Section
}

// URI is the section's address.
func (h Hit) URI() string { return h.Document.SectionURI(h.Section) }

// Title names the section with its document.
func (h Hit) Title() string { return h.Document.Title + " › " + h.Section.Title }

// index is the full-text index of all sections of a language. Row i+1 is hit i.
type index struct {
	db   *sql.DB
	hits []Hit
}

// One index for each language, made at the first search: it takes tens of
// milliseconds, which the start must not pay.
var (
	englishIndex = sync.OnceValues(func() (*index, error) { return newIndex(English) })
	chineseIndex = sync.OnceValues(func() (*index, error) { return newIndex(Chinese) })
)

// The index has words of our own making, so that its tokenizer has only to
// split at blanks, fold case and stem English.
const schema = `CREATE VIRTUAL TABLE sections USING fts5(document, heading, body, tokenize = 'porter unicode61')`

func newIndex(lang string) (*index, error) {
	db, err := sql.Open("sqlite", ":memory:")
	if err != nil {
		return nil, fmt.Errorf("open the index of the documents: %w", err)
	}
	db.SetMaxOpenConns(1) // each connection would have a memory of its own
	x := &index{db: db}
	if err := x.fill(lang); err != nil {
		db.Close()
		return nil, fmt.Errorf("index the documents: %w", err)
	}
	return x, nil
}

func (x *index) fill(lang string) error {
	tx, err := x.db.Begin()
	if err != nil {
		return err
	}
	defer tx.Rollback()
	if _, err := tx.Exec(schema); err != nil {
		return err
	}
	insert, err := tx.Prepare(`INSERT INTO sections (rowid, document, heading, body) VALUES (?, ?, ?, ?)`)
	if err != nil {
		return err
	}
	for _, d := range All() {
		if d.Lang != lang {
			continue
		}
		about := joinWords(d.Title + "\n" + d.Description)
		for _, s := range d.Sections {
			x.hits = append(x.hits, Hit{d, s})
			// The anchor is English in both languages, and so are many questions'
			// words.
			if _, err := insert.Exec(len(x.hits), about, joinWords(s.Title+"\n"+s.Anchor), joinWords(s.Text)); err != nil {
				return err
			}
		}
	}
	return tx.Commit()
}

// Weights of a word by where it is: in what the document is about, in the
// section's heading, in its text.
const ranking = `bm25(sections, 2.0, 4.0, 1.0)`

// Search finds the sections that fit the words of query best, by BM25, at most
// limit of them. lang is English, Chinese or empty, which takes the query's own.
func Search(ctx context.Context, query, lang string, limit int) ([]Hit, error) {
	asked := questionWords(query)
	if len(asked) == 0 || limit <= 0 {
		return nil, nil
	}
	open := englishIndex
	if lang == Chinese || lang == "" && hasHan(query) {
		open = chineseIndex
	}
	x, err := open()
	if err != nil {
		return nil, err
	}
	rows, err := x.db.QueryContext(ctx, `SELECT rowid FROM sections WHERE sections MATCH ? ORDER BY `+ranking+`, rowid LIMIT ?`,
		`"`+strings.Join(asked, `" OR "`)+`"`, limit)
	if err != nil {
		return nil, fmt.Errorf("search the documents: %w", err)
	}
	defer rows.Close()
	var found []Hit
	for rows.Next() {
		var row int
		if err := rows.Scan(&row); err != nil {
			return nil, fmt.Errorf("search the documents: %w", err)
		}
		found = append(found, x.hits[row-1])
	}
	return found, rows.Err()
}
