package analytics

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strconv"
)

// texts finds the ids of texts, and gives new ones theirs.
type texts struct {
	find, add *sql.Stmt
	known     map[string]int64
	kinds     map[string]string // content types without their parameters
}

func newTexts(ctx context.Context, tx *sql.Tx) (*texts, error) {
	find, err := tx.PrepareContext(ctx, `SELECT id FROM visit_texts WHERE text = ?`)
	if err != nil {
		return nil, err
	}
	add, err := tx.PrepareContext(ctx, `INSERT INTO visit_texts (text) VALUES (?) RETURNING id`)
	if err != nil {
		return nil, errors.Join(err, find.Close())
	}
	return &texts{find: find, add: add, known: map[string]int64{}, kinds: map[string]string{}}, nil
}

// close ends the statements, which the transaction would end anyway.
func (t *texts) close() {
	t.find.Close()
	t.add.Close()
}

// id is the id of a text; that of nothing for an empty one.
func (t *texts) id(ctx context.Context, text string) (int64, error) {
	if text == "" {
		text = nothing
	}
	if id, ok := t.known[text]; ok {
		return id, nil
	}
	var id int64
	err := t.find.QueryRowContext(ctx, text).Scan(&id)
	if errors.Is(err, sql.ErrNoRows) {
		err = t.add.QueryRowContext(ctx, text).Scan(&id)
	}
	if err != nil {
		return 0, fmt.Errorf("keep a text: %w", err)
	}
	t.known[text] = id
	return id, nil
}

// rowsAtOnce is how many rows one statement inserts, and rowsHeld how many are
// looked at for rows that are alike.
const (
	rowsAtOnce = 200
	rowsHeld   = 20_000
)

// row is a row of the log, in the order of its columns.
type row [columns]int64

// inserter writes rows, those that are alike as one: groups may differ in what the
// log does not keep, such as parameters of the content type. It writes the numbers into
// the statement, which takes a third of the time of handing each over by itself.
type inserter struct {
	tx   *sql.Tx
	rows []row
	like map[[sums]int64]int
	text []byte
}

func newInserter(tx *sql.Tx) *inserter { return &inserter{tx: tx, like: map[[sums]int64]int{}} }

func (i *inserter) add(ctx context.Context, r row) error {
	key := [sums]int64(r[:sums])
	if at, ok := i.like[key]; ok {
		for c := sums; c < columns; c++ {
			i.rows[at][c] += r[c]
		}
		return nil
	}
	i.like[key] = len(i.rows)
	i.rows = append(i.rows, r)
	if len(i.rows) == rowsHeld {
		return i.flush(ctx)
	}
	return nil
}

func (i *inserter) flush(ctx context.Context) error {
	for part := range slices.Chunk(i.rows, rowsAtOnce) {
		i.text = append(i.text[:0], "INSERT INTO visits VALUES "...)
		for n, r := range part {
			if n > 0 {
				i.text = append(i.text, ',')
			}
			for c, number := range r {
				i.text = append(i.text, "(,"[min(c, 1)])
				i.text = strconv.AppendInt(i.text, number, 10)
			}
			i.text = append(i.text, ')')
		}
		if _, err := i.tx.ExecContext(ctx, string(i.text)); err != nil {
			return err
		}
	}
	i.rows = i.rows[:0]
	clear(i.like)
	return nil
}
