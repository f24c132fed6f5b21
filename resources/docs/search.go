package docs

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"math"
	"slices"
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
	has  []map[string]bool // the stems of each hit
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
			x.has = append(x.has, stems(d.Title+"\n"+s.Title+"\n"+s.Anchor+"\n"+s.Text))
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

// candidates is how many of the best by BM25 are looked at again.
const candidates = 40

// Search finds the sections that fit the words of query best, at most limit of
// them: by BM25, weighted by the share of the words that a section has, because
// one rare word says less than several of the question, and by the document's
// priority, so that lists of everything come behind what explains. lang is
// English, Chinese or empty, which takes the query's own.
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
	rows, err := x.db.QueryContext(ctx, `SELECT rowid, `+ranking+` AS rank FROM sections WHERE sections MATCH ? ORDER BY rank, rowid LIMIT ?`,
		`"`+strings.Join(asked, `" OR "`)+`"`, candidates)
	if err != nil {
		return nil, fmt.Errorf("search the documents: %w", err)
	}
	defer rows.Close()
	type candidate struct {
		row   int
		score float64
	}
	var found []candidate
	for rows.Next() {
		var c candidate
		if err := rows.Scan(&c.row, &c.score); err != nil {
			return nil, fmt.Errorf("search the documents: %w", err)
		}
		// SQLite's score is negative: the best is the least.
		c.score *= math.Sqrt(x.share(c.row-1, asked)) * (1 + x.hits[c.row-1].Document.Priority)
		found = append(found, c)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("search the documents: %w", err)
	}
	slices.SortStableFunc(found, func(a, b candidate) int { return cmp.Compare(a.score, b.score) })
	var hits []Hit
	for _, c := range found[:min(limit, len(found))] {
		hits = append(hits, x.hits[c.row-1])
	}
	return hits, nil
}

// share is how many of the words a section has, from 0 to 1.
func (x *index) share(i int, asked []string) float64 {
	n := 0
	for _, w := range asked {
		if x.has[i][stem(w)] {
			n++
		}
	}
	return float64(n) / float64(len(asked))
}
